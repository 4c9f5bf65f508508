"""The best arms' classifiers once more, with their features.

Quality, separation and the readers' task are measured in them.

Each fold's classifiers look at lesions that they never saw: held-out ones with augmentations, fresh
ones, new cases, and the spare images of that fold's generators.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from lesion.classes import CLASSES
from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import independent_test_set as fresh
from training.reproduction.analyses import curves
from training.reproduction.protocol import classifier, generators
from training.reproduction.setup import Study
from training.reproduction.tasks.classifier import JUDGED, Keep
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.reproduction.tasks.generator import Kind

Arm = Literal["classic", "synthetic"]
ARMS: tuple[Arm, ...] = ("classic", "synthetic")
#: Augmentations of each lesion that Fig. 9 shows besides its own patch.
VARIANTS = 4


def cell(study: Study, split: Split, arm: Arm) -> Cell:
    """Name an arm's classifier of a fold, with all that it judges."""
    trial = study.trial
    more = fresh.judged(study.experiment)
    more |= {f"{JUDGED}cohort": trial.cohort, f"{JUDGED}new": study.new}
    for kind in curves.KINDS:
        more |= {f"{JUDGED}{role}": one for role, one in spares(study, split, kind).items()}
    data = TrainingSet(study.classic)
    if arm == "synthetic":
        data = TrainingSet(study.classic, study.synthetic)
        more |= generators(trial, split, "dcgan", classic=study.classic)
    keep = Keep(features=True, variants=VARIANTS)
    return classifier(trial, split, data, more=more, keep=keep)


def cells(study: Study) -> Iterator[Cell]:
    """Yield both arms' cells."""
    for split in study.trial.splits:
        for arm in ARMS:
            yield cell(study, split, arm)


def spares(study: Study, split: Split, kind: Kind) -> dict[str, Cell]:
    """Name a fold's spare synthetic images: of one network, or of one for each class."""
    return {
        role.replace("synthetic", kind): Cell(
            EXCERPT,
            Excerpt(("images",), -study.experiment.spare),
            {"generator": one},
            label=f"spare images, {one.label}",
        )
        for role, one in generators(study.trial, split, kind, classic=study.classic).items()
    }


def of_spares(store: Store, one: Cell, kind: Kind, *, name: str) -> dict[str, np.ndarray]:
    """Return what a classifier said of a kind's spare images, by class: `logits`, `features`."""
    said = store.load(one)
    if f"{name}_{kind}" in said:
        return dict(zip(CLASSES, np.split(said[f"{name}_{kind}"], len(CLASSES)), strict=True))
    return {c: said[f"{name}_{kind}-{c}"] for c in CLASSES}


def of_fresh(store: Store, study: Study, one: Cell) -> np.ndarray:
    """Return a classifier's features of the fresh lesions, float64 [n, k]."""
    return fresh.said(store.load(one), study.experiment, "features").astype(np.float64)
