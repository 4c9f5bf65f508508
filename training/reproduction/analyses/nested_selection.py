"""The same selection without the test folds: groups are chosen on inner folds of the training part.

The paper chose its best groups on the folds that it reports (4.2), which flatters them. Here each
outer fold has its own choice, made by networks that never saw it.
"""

from collections.abc import Iterator
from typing import Any

from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction import predictions
from training.reproduction.analysis import Analysis
from training.reproduction.predictions import Arm
from training.reproduction.protocol import ProtocolRun, classifier, generators
from training.reproduction.setup import ExperimentSetup


def inner(protocol: ProtocolRun, fold: Split) -> tuple[Split, ...]:
    """Return the inner folds that are used of an outer one."""
    return tuple(Split(fold.seed, fold.fold, inner) for inner in range(protocol.grid.inner_folds))


def classic(protocol: ProtocolRun, fold: Split) -> dict[int, list[Task]]:
    """Name the inner classifiers among which the classic group is chosen."""
    return {
        size: [classifier(protocol, s, TrainingSet(size)) for s in inner(protocol, fold)]
        for size in protocol.grid.classic
    }


def synthetic(protocol: ProtocolRun, fold: Split, *, best: int) -> dict[int, list[Task]]:
    """Name the inner classifiers among which the synthetic group is chosen."""
    return {
        size: [
            classifier(
                protocol,
                s,
                TrainingSet(best, size),
                more=generators(protocol, s, classic=best),
            )
            for s in inner(protocol, fold)
        ]
        for size in protocol.grid.synthetic
    }


def outer(protocol: ProtocolRun, fold: Split, *, best: tuple[int, int]) -> tuple[Task, Task]:
    """Name an outer fold's classifiers of its own choice: classic, and with synthetic lesions."""
    more = generators(protocol, fold, classic=best[0])
    return (
        classifier(protocol, fold, TrainingSet(best[0])),
        classifier(protocol, fold, TrainingSet(*best), more=more),
    )


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the tasks of the choices."""
    for arm in arms(setup).values():
        for folds in arm:
            yield from folds


def arms(setup: ExperimentSetup) -> dict[str, Arm]:
    """Name both arms under nested selection; none where it is left out."""
    if not setup.nested:
        return {}
    pairs = [[outer(t, fold, best=setup.nested[fold]) for fold in t.splits] for t in setup.repeats]
    return {
        name: [[pair[index] for pair in folds] for folds in pairs]
        for index, name in enumerate(("classic, nested", "gan, nested"))
    }


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return both arms' figures under nested selection, and what was chosen."""
    found: dict[str, Any] = {
        name.removesuffix(", nested"): predictions.arm_figures(store, arm, setup.truth)
        for name, arm in arms(setup).items()
    }
    if found:
        found["chosen"] = [
            [list(setup.nested[fold]) for fold in protocol.splits] for protocol in setup.repeats
        ]
    return found


ANALYSIS = Analysis(
    "nested", "a selection that never sees the test fold", tasks=tasks, results=results
)
