"""The best arms' classifiers once more, with their features.

Quality, separation and the readers' task are measured in them.

Each fold's classifiers look at lesions that they never saw: held-out ones with augmentations, fresh
ones, new cases, and the spare images of that fold's generators.
"""

from collections.abc import Iterator

import numpy as np

from training.data.splits import Split
from training.data.training_sets import Arm, TrainingSet
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction import independent_test_set
from training.reproduction.protocol import classifier, generators
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.classifier import JUDGED, Keep
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.reproduction.tasks.synthetic_images import ROLE

ARMS: tuple[Arm, ...] = ("classic", "gan")
#: Augmentations of each lesion that Fig. 9 shows besides its own patch.
VARIANTS = 4


def task(setup: ExperimentSetup, split: Split, arm: Arm) -> Task:
    """Name an arm's classifier of a fold, with all that it judges."""
    protocol = setup.protocol
    more = independent_test_set.judged_roles(setup.grid)
    more |= {f"{JUDGED}cohort": protocol.cohort, f"{JUDGED}new": setup.new}
    for kind in setup.grid.kinds:
        more |= {f"{JUDGED}{role}": one for role, one in spares(setup, split, kind).items()}
    data = TrainingSet(setup.classic)
    if arm == "gan":
        data = TrainingSet(setup.classic, setup.synthetic)
        more |= generators(protocol, split, classic=setup.classic)
    keep = Keep(features=True, variants=VARIANTS)
    return classifier(protocol, split, data, more=more, keep=keep)


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield both arms' tasks."""
    for split in setup.protocol.splits:
        for arm in ARMS:
            yield task(setup, split, arm)


def spares(setup: ExperimentSetup, split: Split, kind: str) -> dict[str, Task]:
    """Name a fold's spare synthetic images: of one network, or of one for each class."""
    return {
        role.replace(ROLE, kind): Task(
            EXCERPT,
            Excerpt(("images",), -setup.grid.spare),
            {"generator": one},
            label=f"spare images, {one.label}",
        )
        for role, one in generators(setup.protocol, split, kind, classic=setup.classic).items()
    }


def of_spares(store: ArtifactStore, one: Task, kind: str, *, name: str) -> dict[str, np.ndarray]:
    """Return what a classifier said of a kind's spare images, by class: `logits`, `features`."""
    outputs = store.load(one)
    if f"{name}_{kind}" in outputs:
        return dict(zip(CLASSES, np.split(outputs[f"{name}_{kind}"], len(CLASSES)), strict=True))
    return {c: outputs[f"{name}_{kind}-{c}"] for c in CLASSES}


def of_fresh(store: ArtifactStore, setup: ExperimentSetup, one: Task) -> np.ndarray:
    """Return a classifier's features of the fresh lesions, float64 [n, k]."""
    return independent_test_set.outputs(store.load(one), setup.grid, "features").astype(np.float64)
