"""Fig. 8: accuracy against the size of the data groups, and what was chosen from it (paper 4.2).

Red: classic augmentation. Blue: synthetic lesions on top of the best classic group, from a DCGAN
per class, and beside it from ACGAN and from one conditional network. Green: new real cases in
their place. Tables 2, 3, 5 and 7 are read off at the chosen groups.
"""

from collections.abc import Iterator
from typing import Any

from training.data.training_sets import TrainingSet
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import predictions as reading
from training.reproduction import selection as select
from training.reproduction.predictions import Arm, Truth
from training.reproduction.protocol import Trial, classifier, generators
from training.reproduction.setup import Study
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.reproduction.tasks.generator import Kind

KINDS: tuple[Kind, ...] = ("dcgan", "acgan", "conditional")


def classic(trials: tuple[Trial, ...]) -> dict[int, Arm]:
    """Name the red curve's arms."""
    return {
        size: [[classifier(t, s, TrainingSet(size)) for s in t.splits] for t in trials]
        for size in trials[0].experiment.classic
    }


def synthetic(trials: tuple[Trial, ...], kind: Kind, *, best: int) -> dict[int, Arm]:
    """Name a blue curve's arms, on top of the `best` classic group."""
    return {
        size: [
            [
                classifier(t, s, TrainingSet(best, size), more=generators(t, s, kind, classic=best))
                for s in t.splits
            ]
            for t in trials
        ]
        for size in trials[0].experiment.synthetic
    }


def new(trials: tuple[Trial, ...], cases: Cell, *, best: int) -> dict[int, Arm]:
    """Name the green curve's arms."""
    return {
        size: [
            [
                classifier(t, s, TrainingSet(best, new_per_class=size), more={"new": cases})
                for s in t.splits
            ]
            for t in trials
        ]
        for size in trials[0].experiment.synthetic
    }


def discriminators(study: Study) -> Arm:
    """Name what the ACGANs' discriminators say as classifiers (paper 4.5, Table 5)."""
    said = Excerpt(("rows", "logits"))
    return [
        [
            Cell(
                EXCERPT,
                said,
                generators(t, s, "acgan", classic=study.classic),
                label="ACGAN discriminator",
            )
            for s in t.splits
        ]
        for t in study.repeats
    ]


def every(study: Study) -> dict[str, dict[int, Arm]]:
    """Name all curves."""
    repeats, best = study.repeats, study.classic
    return {
        "classic": classic(repeats),
        **{kind: synthetic(repeats, kind, best=best) for kind in KINDS},
        "new": new(repeats, study.new, best=best),
    }


def of(curve: dict[int, Arm]) -> Iterator[Cell]:
    """Yield a curve's cells."""
    for arm in curve.values():
        yield from cells(arm)


def cells(arm: Arm) -> Iterator[Cell]:
    """Yield an arm's cells."""
    for folds in arm:
        yield from folds


def accuracies(store: Store, curve: dict[int, Arm], truth: Truth) -> dict[int, float]:
    """Return each group's accuracy, the mean of the repeats."""
    return {
        size: float((reading.predicted(store, arm, truth) == truth.classes).mean())
        for size, arm in curve.items()
    }


def best(store: Store, curve: dict[int, Arm], truth: Truth) -> int:
    """Choose a group on the reported folds, as the paper did."""
    return select.saturation(accuracies(store, curve, truth))


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return the points of each curve, and the ACGAN discriminators' figures beside them."""
    found: dict[str, Any] = {
        name: [
            {"size": size, **reading.judged(store, arm, study.truth)} for size, arm in curve.items()
        ]
        for name, curve in every(study).items()
    }
    said = reading.judged(store, discriminators(study), study.truth)
    return found | {"acgan discriminator": said}
