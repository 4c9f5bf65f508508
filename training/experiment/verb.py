"""`python -m training reproduce`: run the paper's experiments, or go on with them."""

import argparse
import os
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lesion.errors import RunError
from training.experiment import engine, reproduce
from training.experiment.cell import Cell
from training.experiment.presets import EXPERIMENTS
from training.experiment.store import Store
from training.experiment.work.cohort import Phantom, import_folder, phantom
from training.report import files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--preset", choices=sorted(EXPERIMENTS), default="quick")
    parser.add_argument("--cohort", type=Path, help="a cohort's folder (default: the phantom)")
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="results go here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="start nothing more after so many")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")


def run(args: argparse.Namespace) -> None:
    """Run what is missing, and write `results.json`, `arrays.npz` and `report.html`."""
    experiment = EXPERIMENTS[args.preset]
    store = Store(args.folder / "cells")
    deadline = None if args.minutes is None else time.monotonic() + 60 * args.minutes
    if args.cohort is None:
        drawn = Phantom(args.seed, experiment.counts, experiment.augmentation)
        cohort = phantom(drawn, f"phantom {args.seed}")
    else:
        how = {"augmentation": experiment.augmentation, "seed": args.seed}
        cohort = import_folder(args.cohort, store, **how)
    with _bars() as bars:
        compute = partial(_compute, store=store, bars=bars, workers=args.workers, deadline=deadline)
        found = reproduce.run(experiment, cohort, store, seed=args.seed, compute=compute)
    files.save(found.results, found.arrays, args.folder)
    _write_page(args.folder)


def _write_page(run: Path) -> None:
    try:
        from training.report import page  # noqa: PLC0415 - a machine that computes may lack it
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
    deadline: float | None,
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

    engine.local(cells, store, on_done=on_done, deadline=deadline, workers=workers)
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
