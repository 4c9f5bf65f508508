"""Compute the cells that the store lacks, on this machine's processors or its GPU.

Processes of one thread each: a 64x64 network is too small to share (on two cores, two such
processes do twice the work of one with two threads). A cell starts when what it needs is there; the
store is the only memory, so a run can be interrupted anywhere and goes on where it stopped.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from graphlib import TopologicalSorter
from multiprocessing import get_context
from typing import Protocol

from lesion.errors import RunError
from training.experiment.cell import Arrays, Cell, walk
from training.experiment.store import Store

#: Set before torch starts in a worker: its own pool of threads would quarrel over the cores, and
#: glibc would hand the memory of every step back to the kernel.
_WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


class Engine(Protocol):
    """Computes cells into a store."""

    def __call__(
        self,
        cells: Iterable[Cell],
        store: Store,
        *,
        on_done: Callable[[Cell], None],
        deadline: float | None,
    ) -> None:
        """Compute what is missing; start nothing after `deadline` (of `time.monotonic`)."""


def pending(cells: Iterable[Cell], store: Store) -> list[Cell]:
    """Return what has to be computed for `cells`, in an order in which it can be."""
    return list(walk(cells, done=store.has))


def compute(cell: Cell, store: Store) -> None:
    """Compute one cell from the store into the store."""
    inputs = {role: store.load(needed) for role, needed in cell.inputs.items()}
    start = time.perf_counter()
    arrays: Arrays = cell.work.compute(cell.config, inputs)
    store.save(cell, arrays, seconds=time.perf_counter() - start)


def local(
    cells: Iterable[Cell],
    store: Store,
    *,
    on_done: Callable[[Cell], None],
    deadline: float | None,
    workers: int,
) -> None:
    """Compute in `workers` processes of this machine.

    Raise `RunError` that names the cell which failed; what was done is kept.
    """
    todo = pending(cells, store)
    if not todo:
        return
    os.environ.update(_WORKER_ENVIRONMENT)
    spawn = get_context("spawn")  # a forked child may not touch CUDA
    with ProcessPoolExecutor(min(workers, len(todo)), mp_context=spawn) as pool:
        try:
            for cell in _ready(todo, store, pool, workers, deadline):
                on_done(cell)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ready(
    todo: list[Cell], store: Store, pool: ProcessPoolExecutor, workers: int, deadline: float | None
) -> Iterator[Cell]:
    """Keep the workers busy with cells whose inputs are there; yield each as it is done."""
    wanted = set(todo)
    order = {cell: index for index, cell in enumerate(todo)}
    sorter = TopologicalSorter({c: [n for n in c.inputs.values() if n in wanted] for c in todo})
    sorter.prepare()
    waiting: list[Cell] = []
    running: dict[Future[None], Cell] = {}
    while sorter.is_active():
        # In the plan's order: what was begun is finished first, and its inputs can be forgotten.
        waiting = sorted([*waiting, *sorter.get_ready()], key=order.__getitem__)
        while waiting and len(running) < workers and not _over(deadline):
            cell = waiting.pop(0)
            running[pool.submit(compute, cell, store)] = cell
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            cell = running.pop(future)
            try:
                future.result()
            except BrokenProcessPool as error:
                raise RunError("a process died, perhaps for want of memory: run again") from error
            except Exception as error:
                raise RunError(f"{cell.label or cell.work.name}: {error}") from error
            sorter.done(cell)
            yield cell


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


class Estimate:
    """How long the rest takes: cells of one kind of work take about as long as those before."""

    def __init__(self, todo: Iterable[Cell]) -> None:
        self._left = list(todo)
        self._seconds: dict[str, list[float]] = {}

    def add(self, cell: Cell, seconds: float) -> None:
        """Note that a cell is done."""
        self._left.remove(cell)
        self._seconds.setdefault(cell.work.name, []).append(seconds)

    def seconds_left(self) -> float:
        """Return the estimate for one processor; an unknown kind counts as the mean of all."""
        means = {name: sum(took) / len(took) for name, took in self._seconds.items()}
        usual = sum(means.values()) / max(1, len(means))
        return sum(means.get(cell.work.name, usual) for cell in self._left)
