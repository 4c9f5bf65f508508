"""`python -m training reproduce`: run the paper's experiments, or go on with them."""

import argparse
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from functools import partial

from rich.progress import Progress

from lesion.errors import RunError
from training import overrides
from training.pipeline import checkpoints, ray_scheduler, scheduler
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.progress import task_bars
from training.pipeline.scheduler import Scheduler
from training.pipeline.tasks import Task
from training.presets import GRIDS, GridPreset
from training.reproduction import experiments
from training.reproduction.report import page, result_files
from training.reproduction.tasks.cohort import Phantom, import_folder, phantom


def run(args: argparse.Namespace) -> None:
    """Run what is missing, and write `results.json`, `arrays.npz` and `report.html`."""
    grid = overrides.apply(GRIDS[args.preset], args.overrides)
    deadline = None if args.minutes is None else time.monotonic() + 60 * args.minutes
    with checkpoints.lock_folder(args.folder), _scheduler(args) as chosen, task_bars() as bars:
        store = ArtifactStore(args.folder / "artifacts")
        store.clean()
        start = partial(chosen, store=store, deadline=deadline)
        compute = partial(_compute, store=store, bars=bars, workers=args.workers, start=start)
        found = experiments.run(
            grid,
            _cohort(args, grid, store),
            store,
            seed=args.seed,
            compute=compute,
        )
    result_files.save(found.results, found.arrays, args.folder)
    page.write(args.folder)


def _scheduler(args: argparse.Namespace) -> AbstractContextManager[Scheduler]:
    if args.engine == "local":
        return scheduler.local_pool(workers=args.workers)
    return ray_scheduler.ray_cluster(args.address, workers=args.workers)


def _cohort(args: argparse.Namespace, grid: GridPreset, store: ArtifactStore) -> Task:
    """Name the cohort: a folder's, read into the store, or the phantom."""
    augmentation = grid.augmentation
    if args.cohort is None:
        drawn = Phantom(args.seed, grid.counts, augmentation)
        return phantom(drawn, f"phantom {args.seed}")
    return import_folder(args.cohort, store, augmentation=augmentation, seed=args.seed)


def _compute(
    name: str,
    tasks: Iterable[Task],
    *,
    store: ArtifactStore,
    bars: Progress,
    workers: int,
    start: Callable[..., None],
) -> None:
    """Compute a stage with a bar; stop the run where the time is over."""
    tasks = list(tasks)
    todo = scheduler.pending(tasks, store)
    bar = bars.add_task(name, total=len(todo), left="")
    clock = scheduler.Estimate(todo)

    def on_done(task: Task) -> None:
        clock.add(task, store.seconds(task))
        minutes = clock.seconds_left() / 60 / workers
        bars.update(bar, advance=1, left=f"about {minutes:.0f} min left; {task.label}")

    start(tasks, on_done=on_done)
    left = len(scheduler.pending(tasks, store))
    if left:
        raise RunError(f"the time is over with {left} tasks to go; the same command goes on")
