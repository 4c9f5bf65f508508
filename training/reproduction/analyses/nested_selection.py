"""The same selection without the test folds: groups are chosen on inner folds of the training part.

The paper chose its best groups on the folds that it reports (4.2), which flatters them. Here each
outer fold has its own choice, made by networks that never saw it.
"""

from collections.abc import Iterator
from typing import Any

from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import predictions as reading
from training.reproduction.predictions import Arm
from training.reproduction.protocol import Trial, classifier, generators
from training.reproduction.setup import Study


def inner(trial: Trial, fold: Split) -> tuple[Split, ...]:
    """Return the inner folds that are used of an outer one."""
    return tuple(
        Split(fold.seed, fold.fold, inner) for inner in range(trial.experiment.inner_folds)
    )


def classic(trial: Trial, fold: Split) -> dict[int, list[Cell]]:
    """Name the inner classifiers among which the classic group is chosen."""
    return {
        size: [classifier(trial, s, TrainingSet(size)) for s in inner(trial, fold)]
        for size in trial.experiment.classic
    }


def synthetic(trial: Trial, fold: Split, *, best: int) -> dict[int, list[Cell]]:
    """Name the inner classifiers among which the synthetic group is chosen."""
    return {
        size: [
            classifier(
                trial,
                s,
                TrainingSet(best, size),
                more=generators(trial, s, "dcgan", classic=best),
            )
            for s in inner(trial, fold)
        ]
        for size in trial.experiment.synthetic
    }


def outer(trial: Trial, fold: Split, *, best: tuple[int, int]) -> tuple[Cell, Cell]:
    """Name an outer fold's classifiers of its own choice: classic, and with synthetic lesions."""
    more = generators(trial, fold, "dcgan", classic=best[0])
    return (
        classifier(trial, fold, TrainingSet(best[0])),
        classifier(trial, fold, TrainingSet(*best), more=more),
    )


def cells(study: Study) -> Iterator[Cell]:
    """Yield the cells of the choices."""
    for arm in arms(study).values():
        for folds in arm:
            yield from folds


def arms(study: Study) -> dict[str, Arm]:
    """Name both arms under nested selection; none where it is left out."""
    if not study.nested:
        return {}
    pairs = [[outer(t, fold, best=study.nested[fold]) for fold in t.splits] for t in study.repeats]
    return {
        name: [[pair[index] for pair in folds] for folds in pairs]
        for index, name in enumerate(("classic, nested", "synthetic, nested"))
    }


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return both arms' figures under nested selection, and what was chosen."""
    found: dict[str, Any] = {
        name.removesuffix(", nested"): reading.judged(store, arm, study.truth)
        for name, arm in arms(study).items()
    }
    if found:
        found["chosen"] = [
            [list(study.nested[fold]) for fold in trial.splits] for trial in study.repeats
        ]
    return found
