"""Fig. 8: accuracy against the size of the data groups, and what was chosen from it (paper 4.2).

Red: classic augmentation. Blue: synthetic lesions on top of the best classic group, from a DCGAN
per class, and beside it from ACGAN and from one conditional network. Green: new real cases in
their place. Tables 2, 3, 5 and 7 are read off at the chosen groups.
"""

from collections.abc import Iterator
from typing import Any

from training.data.training_sets import TrainingSet
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
from training.reproduction.tasks.generator import Kind

KINDS: tuple[Kind, ...] = ("dcgan", "acgan", "conditional")


def classic(protocol_runs: tuple[ProtocolRun, ...]) -> dict[int, Arm]:
    """Name the red curve's arms."""
    return {
        size: [[classifier(t, s, TrainingSet(size)) for s in t.splits] for t in protocol_runs]
        for size in protocol_runs[0].experiment.classic
    }


def synthetic(protocol_runs: tuple[ProtocolRun, ...], kind: Kind, *, best: int) -> dict[int, Arm]:
    """Name a blue curve's arms, on top of the `best` classic group."""
    return {
        size: [
            [
                classifier(t, s, TrainingSet(best, size), more=generators(t, s, kind, classic=best))
                for s in t.splits
            ]
            for t in protocol_runs
        ]
        for size in protocol_runs[0].experiment.synthetic
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
        for size in protocol_runs[0].experiment.synthetic
    }


def discriminators(setup: ExperimentSetup) -> Arm:
    """Name what the ACGANs' discriminators say as classifiers (paper 4.5, Table 5)."""
    outputs = Excerpt(("rows", "logits"))
    return [
        [
            Task(
                EXCERPT,
                outputs,
                generators(t, s, "acgan", classic=setup.classic),
                label="ACGAN discriminator",
            )
            for s in t.splits
        ]
        for t in setup.repeats
    ]


def every(setup: ExperimentSetup) -> dict[str, dict[int, Arm]]:
    """Name all curves."""
    repeats, best = setup.repeats, setup.classic
    return {
        "classic": classic(repeats),
        **{kind: synthetic(repeats, kind, best=best) for kind in KINDS},
        "new": new(repeats, setup.new, best=best),
    }


def of(curve: dict[int, Arm]) -> Iterator[Task]:
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
    """Return the points of each curve, and the ACGAN discriminators' figures beside them."""
    found: dict[str, Any] = {
        name: [
            {"size": size, **predictions.judged(store, arm, setup.truth)}
            for size, arm in curve.items()
        ]
        for name, curve in every(setup).items()
    }
    outputs = predictions.judged(store, discriminators(setup), setup.truth)
    return found | {"acgan discriminator": outputs}


def _discriminators(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield what is not needed to choose the groups."""
    return tasks(discriminators(setup))


ANALYSIS = Analysis(
    "curves",
    tasks=_discriminators,
    results=results,
    sections=(report.section, methods.generators),
    in_readme=True,
)
