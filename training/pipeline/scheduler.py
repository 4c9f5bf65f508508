"""Compute the tasks that the store lacks, on this machine's processors or its GPU.

Processes of one thread each: a 64x64 network is too small to share (on two cores, two such
processes do twice the work of one with two threads). A task starts when what it needs is there; the
store is the only memory, so a run can be interrupted anywhere and goes on where it stopped.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from graphlib import TopologicalSorter
from multiprocessing import active_children, get_context, parent_process
from typing import Any, Protocol

import numpy as np

from lesion.errors import HepaticaError, RunError
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.origin import Origin, origin_here
from training.pipeline.tasks import Arrays, Task, TaskKind, topological_order

#: Set before torch starts in a worker: its own pool of threads would quarrel over the cores, and
#: glibc would hand the memory of every step back to the kernel.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "4000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


class Scheduler(Protocol):
    """Computes tasks into a store."""

    def __call__(
        self,
        tasks: Iterable[Task],
        store: ArtifactStore,
        *,
        on_done: Callable[[Task], None],
        deadline: float | None,
    ) -> None:
        """Compute what is missing; start nothing after `deadline` (of `time.monotonic`)."""


def pending(tasks: Iterable[Task], store: ArtifactStore) -> list[Task]:
    """Return what has to be computed for `tasks`, in an order in which it can be."""
    return list(topological_order(tasks, done=store.has))


def compute(task: Task, store: ArtifactStore) -> None:
    """Compute one task from the store into the store."""
    inputs = {role: store.load(needed) for role, needed in task.inputs.items()}
    arrays, origin = run_timed(task.kind, task.config, inputs)
    store.save(task, arrays, origin)


def run_timed(kind: TaskKind, config: Any, inputs: Mapping[str, Arrays]) -> tuple[Arrays, Origin]:
    """Do the work; return what it gives, as the store would, and how it was made."""
    start = time.perf_counter()
    arrays = kind.compute(config, inputs)
    seconds = time.perf_counter() - start
    plain = {name: np.asarray(array) for name, array in sorted(arrays.items())}
    return plain, origin_here(seconds, gpu=kind.gpu)


@contextmanager
def local_pool(*, workers: int) -> Iterator[Scheduler]:
    """Give a scheduler of `workers` processes of this machine, started where they are first needed.

    It raises `RunError` that names the task which failed; what was done is kept.
    """
    os.environ.update(WORKER_ENVIRONMENT)
    spawn = get_context("spawn")  # a forked child may not touch CUDA
    others = active_children()
    with ProcessPoolExecutor(workers, mp_context=spawn, initializer=_begin) as pool:
        try:
            yield partial(_compute_in, pool, workers=workers)
        except KeyboardInterrupt:  # a person does not wait for what runs, as a failed run does
            for process in set(active_children()) - set(others):
                process.terminate()
            raise


def _compute_in(
    pool: ProcessPoolExecutor,
    tasks: Iterable[Task],
    store: ArtifactStore,
    *,
    on_done: Callable[[Task], None],
    deadline: float | None,
    workers: int,
) -> None:
    for task in _ready(pending(tasks, store), store, pool, workers, deadline):
        on_done(task)


def _begin() -> None:
    """Prepare a worker: Ctrl-C is for its parent to see, and it does not outlive its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _ready(
    todo: list[Task],
    store: ArtifactStore,
    pool: ProcessPoolExecutor,
    workers: int,
    deadline: float | None,
) -> Iterator[Task]:
    """Keep the workers busy with tasks whose inputs are there; yield each as it is done."""
    wanted = set(todo)
    order = {task: index for index, task in enumerate(todo)}
    sorter = TopologicalSorter({c: [n for n in c.inputs.values() if n in wanted] for c in todo})
    sorter.prepare()
    waiting: list[Task] = []
    running: dict[Future[None], Task] = {}
    while sorter.is_active():
        # In the plan's order: what was begun is finished first, and its inputs can be forgotten.
        waiting = sorted([*waiting, *sorter.get_ready()], key=order.__getitem__)
        while waiting and len(running) < workers and not _over(deadline):
            task = waiting.pop(0)
            running[pool.submit(compute, task, store)] = task
        if not running:
            return
        for future in wait(running, return_when=FIRST_COMPLETED).done:
            task = running.pop(future)
            try:
                future.result()
            except BrokenProcessPool as error:
                at = "; ".join(one.name for one in [task, *running.values()])
                raise RunError(f"a process died, perhaps for want of memory, at: {at}") from error
            except Exception as error:
                raise failed(task, error) from error
            sorter.done(task)
            yield task


def failed(task: Task, error: BaseException) -> RunError:
    """Name the task that failed."""
    kind = "" if isinstance(error, HepaticaError) else f"{type(error).__name__}: "
    return RunError(f"{task.name}: {kind}{error}")


def _over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


class Estimate:
    """How long the rest takes: tasks of one kind of work take about as long as those before."""

    def __init__(self, todo: Iterable[Task]) -> None:
        self._left = list(todo)
        self._seconds: dict[str, list[float]] = {}

    def add(self, task: Task, seconds: float) -> None:
        """Note that a task is done."""
        self._left.remove(task)
        self._seconds.setdefault(task.kind.name, []).append(seconds)

    def seconds_left(self) -> float:
        """Return the estimate for one processor; an unknown kind counts as the mean of all."""
        means = {name: sum(took) / len(took) for name, took in self._seconds.items()}
        usual = sum(means.values()) / max(1, len(means))
        return sum(means.get(task.kind.name, usual) for task in self._left)
