"""The network in whose features synthetic lesions are measured: none that a generator learned with.

It is the classic classifier of a further cohort. Every generator is a stranger to it, its training
lesions and the fresh ones as well: the one that is measured is never nearer to it than the others.
A fold's own classifier has learned the very lesions that the fold's generators imitate.
"""

from collections.abc import Iterator

import numpy as np

from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction.analyses import best_arms as detail
from training.reproduction.analyses import cohorts, curves
from training.reproduction.setup import Study
from training.reproduction.tasks.classifier import JUDGED, Keep
from training.reproduction.tasks.generator import Kind


def cell(study: Study) -> Cell:
    """Name it; it looks at fresh lesions, the cohort, new cases, and all spare images."""
    trial = cohorts.trials(study.experiment)[0]
    classic, _ = study.cohorts[trial.seed]
    more = {"cohort": study.trial.cohort, "new": study.new}
    more |= {
        f"{split.fold}_{role}": one
        for split in study.trial.splits
        for kind in curves.KINDS
        for role, one in detail.spares(study, split, kind).items()
    }
    judged = {f"{JUDGED}{role}": one for role, one in more.items()}
    keep = Keep(features=True, variants=detail.VARIANTS)
    return cohorts.on_fresh(trial, TrainingSet(classic), judged, keep=keep)


def cells(study: Study) -> Iterator[Cell]:
    """Yield the cell."""
    yield cell(study)


def of_spares(store: Store, study: Study, split: Split, kind: Kind) -> dict[str, np.ndarray]:
    """Return the features of a fold's spare images, by class: float16 [m, 256]."""
    return detail.of_spares(store, cell(study), kind, name=f"features_{split.fold}")


def of_fresh(store: Store, study: Study) -> np.ndarray:
    """Return the features of the fresh lesions: float64 [n, 256]."""
    return detail.of_fresh(store, study, cell(study))
