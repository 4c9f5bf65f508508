"""The network in whose features synthetic lesions are measured: none that a generator learned with.

It is the classic classifier of a further cohort. Every generator is a stranger to it, its training
lesions and the fresh ones as well: the one that is measured is never nearer to it than the others.
A fold's own classifier has learned the very lesions that the fold's generators imitate.
"""

from collections.abc import Iterator

import numpy as np

from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction.analyses import best_arms, cohorts
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.classifier import JUDGED, Keep


def task(setup: ExperimentSetup) -> Task:
    """Name it; it looks at fresh lesions, the cohort, new cases, and all spare images."""
    protocol = cohorts.protocol_runs(setup.grid)[0]
    classic, _ = setup.cohorts[protocol.seed]
    more = {"cohort": setup.protocol.cohort, "new": setup.new}
    more |= {
        f"{split.fold}_{role}": one
        for split in setup.protocol.splits
        for kind in setup.grid.kinds
        for role, one in best_arms.spares(setup, split, kind).items()
    }
    judged = {f"{JUDGED}{role}": one for role, one in more.items()}
    keep = Keep(features=True, variants=best_arms.VARIANTS)
    return cohorts.on_fresh(protocol, TrainingSet(classic), judged, keep=keep)


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the task."""
    yield task(setup)


def of_spares(
    store: ArtifactStore, setup: ExperimentSetup, split: Split, kind: str
) -> dict[str, np.ndarray]:
    """Return the features of a fold's spare images, by class: float16 [m, 256]."""
    return best_arms.of_spares(store, task(setup), kind, name=f"features_{split.fold}")


def of_fresh(store: ArtifactStore, setup: ExperimentSetup) -> np.ndarray:
    """Return the features of the fresh lesions: float64 [n, 256]."""
    return best_arms.of_fresh(store, setup, task(setup))
