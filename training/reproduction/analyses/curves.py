"""Fig. 8: accuracy against the size of the data groups, and what was chosen from it (paper 4.2).

Red: classic augmentation. Blue: synthetic lesions on top of the best classic group, from a DCGAN
per class, and beside it from ACGAN and from one conditional network. Green: new real cases in
their place. Tables 2, 3, 5 and 7 are read off at the chosen groups.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.networks.generators import KINDS
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction import predictions, selection
from training.reproduction.analysis import Analysis
from training.reproduction.predictions import Arm, Labels
from training.reproduction.protocol import ProtocolRun, classifier, generators
from training.reproduction.report.sections import curves as report
from training.reproduction.report.sections import methods
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt


def classic(protocol_runs: tuple[ProtocolRun, ...]) -> dict[int, Arm]:
    """Name the red curve's arms."""
    return {
        size: [[classifier(t, s, TrainingSet(size)) for s in t.splits] for t in protocol_runs]
        for size in protocol_runs[0].grid.classic
    }


def synthetic(protocol_runs: tuple[ProtocolRun, ...], kind: str, *, best: int) -> dict[int, Arm]:
    """Name a blue curve's arms, on top of the `best` classic group."""
    return {
        size: [
            [
                classifier(t, s, TrainingSet(best, size), more=generators(t, s, kind, classic=best))
                for s in t.splits
            ]
            for t in protocol_runs
        ]
        for size in protocol_runs[0].grid.synthetic
    }


def new(protocol_runs: tuple[ProtocolRun, ...], cases: Task, *, best: int) -> dict[int, Arm]:
    """Name the green curve's arms."""
    return {
        size: [
            [
                classifier(t, s, TrainingSet(best, new_per_class=size), more={"new": cases})
                for s in t.splits
            ]
            for t in protocol_runs
        ]
        for size in protocol_runs[0].grid.synthetic
    }


def discriminators(setup: ExperimentSetup) -> dict[str, Arm]:
    """Name what discriminators say as classifiers, where they name classes (paper 4.5, Table 5)."""
    logits = Excerpt(("rows", "logits"))

    def task(protocol: ProtocolRun, split: Split, kind: str) -> Task:
        inputs = generators(protocol, split, kind, classic=setup.classic)
        return Task(EXCERPT, logits, inputs, label=f"{KINDS[kind].title} discriminator")

    return {
        f"{kind} discriminator": [[task(t, s, kind) for s in t.splits] for t in setup.repeats]
        for kind in setup.grid.kinds
        if KINDS[kind].classify is not None
    }


def every(setup: ExperimentSetup) -> dict[str, dict[int, Arm]]:
    """Name all curves."""
    repeats, best = setup.repeats, setup.classic
    return {
        "classic": classic(repeats),
        **{kind: synthetic(repeats, kind, best=best) for kind in setup.grid.kinds},
        "new": new(repeats, setup.new, best=best),
    }


def of(curve: Mapping[Any, Arm]) -> Iterator[Task]:
    """Yield a curve's tasks."""
    for arm in curve.values():
        yield from tasks(arm)


def tasks(arm: Arm) -> Iterator[Task]:
    """Yield an arm's tasks."""
    for folds in arm:
        yield from folds


def accuracies(store: ArtifactStore, curve: dict[int, Arm], truth: Labels) -> dict[int, float]:
    """Return each group's accuracy, the mean of the repeats."""
    return {
        size: float((predictions.predicted(store, arm, truth) == truth.classes).mean())
        for size, arm in curve.items()
    }


def best(store: ArtifactStore, curve: dict[int, Arm], truth: Labels) -> int:
    """Choose a group on the reported folds, as the paper did."""
    return selection.saturation(accuracies(store, curve, truth))


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return the points of each curve, and the figures of discriminators beside them."""
    found: dict[str, Any] = {
        name: [
            {"size": size, **predictions.arm_figures(store, arm, setup.truth)}
            for size, arm in curve.items()
        ]
        for name, curve in every(setup).items()
    }
    return found | {
        name: predictions.arm_figures(store, arm, setup.truth)
        for name, arm in discriminators(setup).items()
    }


def _discriminators(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield what is not needed to choose the groups."""
    return of(discriminators(setup))


ANALYSIS = Analysis(
    "curves",
    tasks=_discriminators,
    results=results,
    sections=(report.section, methods.generators),
    in_readme=True,
)
