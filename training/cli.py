"""`python -m training VERB`: the training package's commands.

Each verb imports what it needs: a GPU machine that trains has no DICOM library, and one that
exports need not have a GPU.
"""

import argparse
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

from lesion.bundle import NAME_PATTERN
from lesion.errors import HepaticaError
from training import overrides
from training.data.training_sets import ARMS
from training.phantom import cli as phantom
from training.pipeline.ray_scheduler import LOCAL_CLUSTER
from training.presets import BUNDLES, GRIDS, BundlePreset


def main() -> None:
    """Run one verb; a fault that a person can mend is told in one line."""
    args = _parser().parse_args()
    try:
        args.run(args)
    except (HepaticaError, FileNotFoundError) as error:
        sys.exit(f"{args.verb}: {error}")
    except KeyboardInterrupt:
        sys.exit(
            f"{args.verb}: interrupted; the same command goes on "
            "(train and train-export: with --resume)"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)

    draw = verbs.add_parser("phantom", help="draw a simulated cohort as DICOM")
    phantom.add_arguments(draw)
    draw.set_defaults(run=phantom.run)

    whole = verbs.add_parser(
        "train-export", help="cut, train and export: from a cohort to a bundle"
    )
    _add(whole, "cohort", "preset", "seed", "run", "resume", "out")
    whole.set_defaults(run=_train_export)

    cut = verbs.add_parser("cut", help="cut a cohort's patches into a run's folder")
    _add(cut, "cohort", "preset", "seed", "run")
    cut.set_defaults(run=_cut)

    train = verbs.add_parser("train", help="train on a run's patches: needs no DICOM library")
    _add(train, "preset", "seed", "run", "resume")
    train.set_defaults(run=_train)

    export = verbs.add_parser("export", help="make a bundle of a finished run")
    _add(export, "preset", "run", "out")
    export.set_defaults(run=_export)

    paper = verbs.add_parser("reproduce", help="run the paper's experiments and write the report")
    _add_grid_options(paper)
    paper.set_defaults(run=_reproduce)

    shown = verbs.add_parser("report", help="write a finished run's report once more, elsewhere")
    _add(shown, "run")
    shown.add_argument("--out", type=Path, help="a folder (default: the page, into the run's)")
    shown.set_defaults(run=_report)

    figure = verbs.add_parser("figure", help="draw a bundle's lesions beside its cohort's")
    _add(figure, "run", "bundle")
    figure.add_argument("--picture", type=Path, required=True, help="the PNG to write")
    figure.set_defaults(run=_figure)
    return parser


def _add(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add the options that verbs share."""
    if "cohort" in names:
        parser.add_argument("--cohort", type=Path, required=True, help="a cohort's folder")
    if "preset" in names:
        parser.add_argument("--preset", choices=sorted(BUNDLES), default="quick")
        parser.add_argument("--arm", choices=ARMS, help="the classifier's training set")
        overrides.add_override(parser)
    if "seed" in names:
        parser.add_argument("--seed", type=int, default=1)
    if "run" in names:
        parser.add_argument("--run", dest="folder", type=Path, required=True, help="its folder")
    if "resume" in names:
        parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    if "bundle" in names:
        parser.add_argument("--bundle", type=Path, required=True, help="the bundle's folder")
    if "out" in names:
        parser.add_argument("--out", type=_bundle, required=True, help="the bundle's folder")


def _add_grid_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `reproduce`."""
    parser.add_argument("--preset", choices=sorted(GRIDS), default="quick")
    overrides.add_override(parser)
    parser.add_argument("--cohort", type=Path, help="a cohort's folder (default: the phantom)")
    parser.add_argument("--run", dest="folder", type=Path, required=True, help="results go here")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, help="start nothing more after so many")
    processors = len(os.sched_getaffinity(0))
    parser.add_argument("--workers", type=int, default=processors, help="processes")
    parser.add_argument("--engine", choices=("local", "ray"), default="local")
    parser.add_argument(
        "--address",
        default=LOCAL_CLUSTER,
        help="of a Ray cluster that this machine is in (default: --engine ray starts one here)",
    )


def _bundle(text: str) -> Path:
    """Refuse a name that the manifest would refuse, before hours of training."""
    path = Path(text)
    if not re.fullmatch(NAME_PATTERN, path.name):
        raise argparse.ArgumentTypeError(f"found the name {path.name!r}, expected {NAME_PATTERN}")
    return path


def _preset(args: argparse.Namespace) -> BundlePreset:
    """Return the preset with the fields that the command line sets."""
    preset = BUNDLES[args.preset]
    if args.arm is not None:
        preset = replace(preset, arm=args.arm)
    return overrides.apply(preset, args.overrides)


def _cut(args: argparse.Namespace) -> None:
    from training.data import cohort, patches
    from training.pipeline.progress import epoch_bars

    preset = _preset(args)
    found = cohort.read(args.cohort)
    how = {"augmentation": preset.augmentation, "seed": args.seed}
    if patches.is_cut(args.folder / "patches", fingerprint=found.fingerprint, **how):
        return
    with epoch_bars() as progress:
        task = progress.add_task("cut patches", total=len(found.lesions), losses="")
        patches.cut_cohort(
            found, args.folder / "patches", advance=lambda: progress.advance(task), **how
        )


def _train(args: argparse.Namespace) -> None:
    from training.data import patches
    from training.pipeline import cross_validation

    preset = _preset(args)
    cross_validation.run(
        patches.load(args.folder / "patches"),
        preset,
        seed=args.seed,
        folder=args.folder,
        resume=args.resume,
    )


def _export(args: argparse.Namespace) -> None:
    from training.data import patches
    from training.export import assemble

    bundle = assemble.bundle(
        patches.load(args.folder / "patches"),
        _preset(args),
        folder=args.folder,
        out=args.out,
    )
    accuracy = bundle.manifest.evaluation.accuracy
    print(
        f"{args.out}: bundle {bundle.digest[:12]}, cross-validated accuracy {accuracy.value:.1%} "
        f"({accuracy.low:.1%} to {accuracy.high:.1%}) on {bundle.manifest.cohort.name}"
    )


def _figure(args: argparse.Namespace) -> None:
    from lesion.bundle import read
    from training.data import patches
    from training.export import overview as figure

    figure.save(read.read(args.bundle), patches.load(args.folder / "patches"), args.picture)


def _reproduce(args: argparse.Namespace) -> None:
    from training.reproduction import cli as reproduction

    reproduction.run(args)


def _report(args: argparse.Namespace) -> None:
    from training.reproduction.report import page

    if args.out is None:
        page.write(args.folder)
    else:
        page.publish(args.folder, args.out)


def _train_export(args: argparse.Namespace) -> None:
    _cut(args)
    _train(args)
    _export(args)
