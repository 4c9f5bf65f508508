"""`python -m training phantom`: draw a simulated cohort as DICOM."""

import argparse
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from training.phantom.classes import LesionClass
from training.phantom.cohort import PAPER_COUNTS, plan_cohort


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--out", type=Path, required=True, help="the cohort's folder")
    parser.add_argument("--seed", type=int, default=1, help="another seed is another cohort")
    parser.add_argument(
        "--counts",
        type=int,
        nargs=len(LesionClass),
        default=[PAPER_COUNTS[kind] for kind in LesionClass],
        metavar=tuple(kind.upper() for kind in LesionClass),
        help="how many lesions of each class (default: the paper's %(default)s)",
    )


def run(args: argparse.Namespace) -> None:
    """Draw the cohort; the same command goes on after an interruption."""
    from training.phantom.folder import write_cohort  # noqa: PLC0415 - a trainer has no DICOM

    counts = dict(zip(LesionClass, args.counts, strict=True))
    with Progress(BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task("simulated patients", total=len(plan_cohort(args.seed, counts)))
        write_cohort(args.out, args.seed, counts, advance=lambda: progress.advance(task))
        progress.print(
            f"{args.out}: {sum(args.counts)} simulated lesions of seed {args.seed}",
            soft_wrap=True,  # a path that was broken into lines cannot be copied
        )
