"""`python -m training reproduce`: run the paper's experiments, or go on with them."""

import argparse
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lesion.errors import RunError
from training.pipeline import checkpoints as stage
from training.pipeline import ray_scheduler as cluster
from training.pipeline import scheduler as engine
from training.pipeline.artifacts import Store
from training.pipeline.scheduler import Engine
from training.pipeline.tasks import Cell
from training.reproduction import experiments as reproduce
from training.reproduction.presets import EXPERIMENTS
from training.reproduction.report import result_files as files
from training.reproduction.tasks.cohort import Phantom, import_folder, phantom


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--preset", choices=sorted(EXPERIMENTS), default="quick")
    parser.add_argument("--cohort", type=Path, help="a cohort's folder (default: the phantom)")
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="results go here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="start nothing more after so many")
    processors = len(os.sched_getaffinity(0))
    parser.add_argument("--workers", type=int, default=processors, help="processes")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument(
        "--address",
        default=cluster.HERE,
        help="of a Ray cluster that this machine is in (default: --engine ray starts one here)",
    )


def run(args: argparse.Namespace) -> None:
    """Run what is missing, and write `results.json`, `arrays.npz` and `report.html`."""
    deadline = None if args.minutes is None else time.monotonic() + 60 * args.minutes
    with stage.exclusive(args.folder), _engine(args) as chosen, _bars() as bars:
        store = Store(args.folder / "cells")
        store.clean()
        start = partial(chosen, store=store, deadline=deadline)
        compute = partial(_compute, store=store, bars=bars, workers=args.workers, start=start)
        found = reproduce.run(
            EXPERIMENTS[args.preset],
            _cohort(args, store),
            store,
            seed=args.seed,
            compute=compute,
        )
    files.save(found.results, found.arrays, args.folder)
    _write_page(args.folder)


@contextmanager
def _engine(args: argparse.Namespace) -> Iterator[Engine]:
    if args.engine == "local":
        yield partial(engine.local, workers=args.workers)
        return
    with cluster.joined(args.address, workers=args.workers) as joined:
        yield joined


def _cohort(args: argparse.Namespace, store: Store) -> Cell:
    """Name the cohort: a folder's, read into the store, or the phantom."""
    augmentation = EXPERIMENTS[args.preset].augmentation
    if args.cohort is None:
        drawn = Phantom(args.seed, EXPERIMENTS[args.preset].counts, augmentation)
        return phantom(drawn, f"phantom {args.seed}")
    return import_folder(args.cohort, store, augmentation=augmentation, seed=args.seed)


def _write_page(run: Path) -> None:
    try:
        from training.reproduction.report import page  # noqa: PLC0415 - a machine that computes may lack it
    except ImportError as error:
        raise RunError(f"{error}: all is computed; write the report elsewhere") from error
    page.write(run)


def _compute(
    name: str,
    cells: Iterable[Cell],
    *,
    store: Store,
    bars: Progress,
    workers: int,
    start: Callable[..., None],
) -> None:
    """Compute a stage with a bar; stop the run where the time is over."""
    cells = list(cells)
    todo = engine.pending(cells, store)
    task = bars.add_task(name, total=len(todo), left="")
    clock = engine.Estimate(todo)

    def on_done(cell: Cell) -> None:
        clock.add(cell, store.seconds(cell))
        minutes = clock.seconds_left() / 60 / workers
        bars.update(task, advance=1, left=f"about {minutes:.0f} min left; {cell.label}")

    start(cells, on_done=on_done)
    left = len(engine.pending(cells, store))
    if left:
        raise RunError(f"the time is over with {left} cells to go; the same command goes on")


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
    )
