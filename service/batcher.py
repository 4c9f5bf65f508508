"""One thread that runs whatever is queued: greedy batching behind a bounded queue.

The thread never waits for a batch to fill: while it runs one, the next gathers by itself. So a lone
request is answered at once, and a crowd shares its inference.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from service.problems import BusyError

In = TypeVar("In")
Out = TypeVar("Out")


class Batcher(Generic[In, Out]):
    """A thread, its queue, and the futures of those who wait.

    `run` takes 1 to `largest_batch` items and gives as many results, in order. What it raises is
    raised to every waiter of that batch. `nice` lowers the thread's share of a busy core. `submit`
    belongs to the event loop's thread.
    """

    def __init__(
        self,
        run: Callable[[list[In]], Sequence[Out]],
        *,
        name: str,
        largest_batch: int,
        capacity: int,
        nice: int = 0,
    ) -> None:
        self._run = run
        self._nice = nice
        self._largest_batch = largest_batch
        self._capacity = capacity
        self._queue: SimpleQueue[tuple[In, asyncio.Future[Out]] | None] = SimpleQueue()
        self._inside = 0
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    @property
    def depth(self) -> int:
        """How many items wait for their results."""
        return self._inside

    async def submit(self, items: Sequence[In]) -> list[Out]:
        """Run the items, all or none.

        Raise `BusyError` where they do not fit in the queue. Items of a cancelled caller are not
        run.
        """
        if self._closed or self.depth + len(items) > self._capacity:
            raise BusyError(
                f"queue: found {self.depth} of {self._capacity} places taken, "
                f"expected room for {len(items)}"
            )
        self._inside += len(items)
        loop = asyncio.get_running_loop()
        futures = [loop.create_future() for _ in items]
        for item, future in zip(items, futures, strict=True):
            self._queue.put((item, future))
        try:
            return [await future for future in futures]
        finally:
            self._inside -= len(items)
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Refuse new items, finish the queued ones, end the thread."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _work(self) -> None:
        os.nice(self._nice)  # of this thread alone, on Linux
        open_ = True
        while open_:
            batch: list[tuple[In, asyncio.Future[Out]]] = []
            for entry in self._taken():
                if entry is None:
                    open_ = False
                elif not entry[1].cancelled():
                    batch.append(entry)
            if batch:
                self._answer(batch)

    def _taken(self) -> list[tuple[In, asyncio.Future[Out]] | None]:
        entries = [self._queue.get()]
        with contextlib.suppress(Empty):
            while len(entries) < self._largest_batch and entries[-1] is not None:
                entries.append(self._queue.get_nowait())
        return entries

    def _answer(self, batch: list[tuple[In, "asyncio.Future[Out]"]]) -> None:
        futures = [future for _, future in batch]
        outcome: Sequence[Out] | Exception
        try:
            outcome = self._run([item for item, _ in batch])
        except Exception as error:
            outcome = error
        with contextlib.suppress(RuntimeError):  # the loop is gone, and the waiters with it
            futures[0].get_loop().call_soon_threadsafe(_settle, futures, outcome)


def _settle(futures: list[asyncio.Future[Out]], outcome: Sequence[Out] | Exception) -> None:
    for i, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[i])
