"""The engine of one machine: order, side by side, failures, limits of time, interruptions."""

import os
import signal
import time
from multiprocessing import get_context

import numpy as np
import psutil
import pytest

from lesion.errors import RunError
from training.pipeline import scheduler


def compute(tasks, store, *, on_done, deadline=None, workers=2):
    with scheduler.local_pool(workers=workers) as chosen:
        chosen(tasks, store, on_done=on_done, deadline=deadline)


def test_what_a_cell_needs_is_computed_before_it_and_each_once(workshop, store):
    a, b = workshop.task("a"), workshop.task("b")
    c = workshop.task("c", a, b)
    top = [workshop.task("d", c, a), c]
    done = []
    compute(top, store, on_done=done.append)
    assert sorted(done, key=str) == sorted([a, b, c, top[0]], key=str)
    assert done.index(c) == 2
    noise = np.random.default_rng(1).normal(size=40_000)
    np.testing.assert_allclose(store.load(top[0])["sum"], 5 * noise)
    assert all(len(workshop.began(name)) == 1 for name in "abcd")


def test_two_workers_work_side_by_side(workshop, store):
    pair = [workshop.task("a", friend="b"), workshop.task("b", friend="a")]
    compute(pair, store, on_done=lambda _: None)
    assert len(set(workshop.began())) == 2
    assert os.getpid() not in workshop.began()


def test_what_was_begun_is_finished_before_more_is_begun(workshop, store):
    """A chain that is listed first goes on before what is listed later, though that waits too."""
    first = workshop.task("c1", workshop.task("c0"))
    later = [workshop.task(f"l{index}") for index in range(3)]
    done = []
    compute([first, *later], store, on_done=done.append, deadline=None, workers=1)
    assert [task.config.name for task in done] == ["c0", "c1", "l0", "l1", "l2"]


def test_only_what_is_missing_is_computed(workshop, store):
    base = workshop.task("base")
    compute([base], store, on_done=lambda _: None)
    done = []
    compute([base, workshop.task("top", base)], store, on_done=done.append)
    assert [task.config.name for task in done] == ["top"]
    assert len(workshop.began("base")) == 1
    compute([base], store, on_done=done.append)
    assert len(done) == 1


def test_a_cell_that_fails_is_named_and_the_rest_is_kept(workshop, store):
    good = workshop.task("good", friend="bad", seconds=0.3)
    bad = workshop.task("bad", friend="good", ends="raises")
    with pytest.raises(RunError, match=r"^task bad: ValueError: no such thing$"):
        compute([bad, good, workshop.task("above", bad)], store, on_done=lambda _: None)
    assert store.has(good)
    assert not store.has(bad)
    assert not workshop.began("above")


def test_a_worker_that_dies_is_told_with_what_it_may_have_worked_on(workshop, store):
    with pytest.raises(RunError, match=r"a process died.*: task bad"):
        compute([workshop.task("bad", ends="dies")], store, on_done=lambda _: None)


def test_nothing_is_begun_after_the_deadline(workshop, store):
    over = time.monotonic()
    compute([workshop.task("a")], store, on_done=lambda _: None, deadline=over)
    assert not workshop.began()


def test_what_runs_at_the_deadline_is_finished(workshop, store):
    begun = workshop.task("begun", seconds=0.5)
    above = workshop.task("above", begun)
    tasks, soon = [begun, above], time.monotonic() + 0.3
    compute(tasks, store, on_done=lambda _: None, deadline=soon, workers=1)
    assert store.has(begun)
    assert not workshop.began("above")


def _compute(task, store):
    # What a shell runs in the background is deaf to it, and so are its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        compute([task], store, on_done=lambda _: None)
    except KeyboardInterrupt:
        os._exit(130)


@pytest.mark.parametrize(("sent", "left"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_interrupted_run_ends_at_once_with_its_workers_and_goes_on(workshop, store, sent, left):
    long = workshop.task("long", seconds=600)
    driver = get_context("spawn").Process(target=_compute, args=(long, store))
    driver.start()
    (worker,) = workshop.wait("long")
    os.kill(driver.pid, sent)
    driver.join(30)
    assert driver.exitcode == left
    patience = time.monotonic() + 30
    while psutil.pid_exists(worker):
        assert time.monotonic() < patience, "the worker outlives its run"
        time.sleep(0.02)
    assert not store.has(long)


def test_the_time_left_is_that_of_works_of_the_kind(workshop):
    a, b, c = (workshop.task(name) for name in "abc")
    clock = scheduler.Estimate([a, b, c])
    assert clock.seconds_left() == 0.0
    clock.add(a, 4.0)
    assert clock.seconds_left() == 8.0
    clock.add(b, 2.0)
    assert clock.seconds_left() == 3.0
