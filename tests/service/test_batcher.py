"""Whoever waits is answered: with a result, with the error of its batch, or with 'full'."""

import asyncio
import threading
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.batcher import Batcher
from service.problems import BusyError


@contextmanager
def batcher(run, *, largest_batch=4, capacity=100):
    made = Batcher(run, name="test", largest_batch=largest_batch, capacity=capacity)
    try:
        yield made
    finally:
        made.close()


class Gate:
    """A run that waits to be let through, and remembers its batches."""

    def __init__(self):
        self.batches, self.opened, self.entered = [], threading.Event(), threading.Event()

    def __call__(self, items):
        self.entered.set()
        assert self.opened.wait(5)
        self.batches.append(items)
        return [-item for item in items]

    async def shut(self, batches, item):
        """Return the task of an item that the thread is now busy with."""
        task = asyncio.create_task(batches.submit([item]))
        while not self.entered.is_set():
            await asyncio.sleep(0.001)
        return task


@settings(deadline=None, max_examples=25)
@given(sizes=st.lists(st.integers(0, 9), max_size=12), largest=st.integers(1, 5))
def test_everybody_gets_their_own(sizes, largest):
    async def crowd(made):
        asked = [[100 * i + j for j in range(size)] for i, size in enumerate(sizes)]
        return asked, await asyncio.gather(*(made.submit(items) for items in asked))

    def run(items):
        assert 1 <= len(items) <= largest
        return [-item for item in items]

    with batcher(run, largest_batch=largest, capacity=200) as made:
        asked, got = asyncio.run(crowd(made))
        assert made.depth == 0
    assert got == [[-item for item in items] for items in asked]


def test_what_gathers_meanwhile_is_one_batch():
    gate = Gate()

    async def scenario(made):
        tasks = [await gate.shut(made, 0)]
        tasks += [asyncio.create_task(made.submit([i])) for i in range(1, 7)]
        await asyncio.sleep(0)
        assert made.depth == 7
        gate.opened.set()
        return await asyncio.gather(*tasks)

    with batcher(gate) as made:
        assert asyncio.run(scenario(made)) == [[-i] for i in range(7)]
    assert gate.batches == [[0], [1, 2, 3, 4], [5, 6]]


def test_a_full_queue_refuses_all_of_a_request():
    gate = Gate()

    async def scenario(made):
        first = await gate.shut(made, 0)
        second = asyncio.create_task(made.submit([1, 2]))
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="3 of 4 places"):
            await made.submit([3, 4])
        third = asyncio.create_task(made.submit([5]))
        await asyncio.sleep(0)
        gate.opened.set()
        return await asyncio.gather(first, second, third)

    with batcher(gate, capacity=4) as made:
        assert asyncio.run(scenario(made)) == [[0], [-1, -2], [-5]]


def test_who_left_is_not_run():
    gate = Gate()

    async def scenario(made):
        first = await gate.shut(made, 0)
        gone = asyncio.create_task(made.submit([1, 2]))
        stayed = asyncio.create_task(made.submit([3]))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        gate.opened.set()
        return await asyncio.gather(first, gone, stayed, return_exceptions=True)

    with batcher(gate) as made:
        _, gone, stayed = asyncio.run(scenario(made))
    assert isinstance(gone, asyncio.CancelledError)
    assert stayed == [-3]
    assert gate.batches == [[0], [3]]


def test_a_failure_is_told_to_its_batch_alone():
    def run(items):
        if 13 in items:
            raise ArithmeticError("thirteen")
        return items

    async def scenario(made):
        with pytest.raises(ArithmeticError, match="thirteen"):
            await made.submit([12, 13])
        return await made.submit([14])

    with batcher(run) as made:
        assert asyncio.run(scenario(made)) == [14]


def test_close_finishes_what_is_queued():
    gate = Gate()

    async def scenario(made):
        tasks = [await gate.shut(made, 0), asyncio.create_task(made.submit([1, 2]))]
        await asyncio.sleep(0)
        closing = asyncio.create_task(asyncio.to_thread(made.close))
        gate.opened.set()
        await closing
        with pytest.raises(BusyError):
            await made.submit([3])
        return await asyncio.gather(*tasks)

    made = Batcher(gate, name="test", largest_batch=4, capacity=9)
    assert asyncio.run(scenario(made)) == [[0], [-1, -2]]


def test_a_loop_that_is_gone_does_not_stop_the_thread():
    gate = Gate()
    with batcher(gate) as made:

        async def leave():
            await gate.shut(made, 0)

        asyncio.run(leave())
        gate.opened.set()

        async def come():
            return await made.submit([5])

        assert asyncio.run(come()) == [-5]
