"""Figs. 3 and 6: one lesion's augmentations, and synthetic lesions beside real ones.

Lesions are drawn at random. The synthetic ones are the last that each fold's generators drew:
spares, never trained on.
"""

from collections.abc import Iterator

import numpy as np

from training.data import datasets
from training.data.folds import FOLDS
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction.analysis import Analysis
from training.reproduction.predictions import Labels
from training.reproduction.protocol import ProtocolRun, generators
from training.reproduction.report.sections import pictures as report
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.reproduction.tasks.sample import SAMPLE, Sample
from training.reproduction.tasks.synthetic_images import ROLE
from training.seeds import generator

#: Patches of Fig. 3; synthetic lesions of each class and fold.
_AUGMENTED, _OF_FOLD = 24, 4


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the tasks."""
    protocol, truth, best = setup.protocol, setup.truth, setup.classic
    yield _augmented(protocol, truth)
    yield from _real(protocol, truth)
    for kind in protocol.grid.kinds:
        yield from _spares(protocol, kind, best).values()


def arrays(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, np.ndarray]:
    """Return float16 patches [n, 64, 64] in (0, 1).

    `augmented`, a lesion first; of each class `real-<class>` and `<kind>-<class>`, fold by fold.
    """
    protocol, truth, best = setup.protocol, setup.truth, setup.classic
    one = store.load(_augmented(protocol, truth))
    shown: dict[str, np.ndarray] = {
        "augmented": np.concatenate([one["originals"], one["variants"][0]])
    }
    for name, task in zip(CLASSES, _real(protocol, truth), strict=True):
        shown[f"real-{name}"] = store.load(task)["originals"]
    unit = {name: datasets.rescale(hu, protocol.grid.scaling) for name, hu in shown.items()}
    for kind in protocol.grid.kinds:
        for label, images in _synthetic(store, protocol, kind, best).items():
            unit[f"{kind}-{label}"] = images
    return {name: patches.astype(np.float16) for name, patches in unit.items()}


def _augmented(protocol: ProtocolRun, truth: Labels) -> Task:
    """Name one lesion and some of its augmentations."""
    row = int(generator(protocol.seed, "augmented").integers(len(truth.classes)))
    return _sample(protocol, Sample((row,), _AUGMENTED - 1), "a lesion and its augmentations")


def _real(protocol: ProtocolRun, truth: Labels) -> Iterator[Task]:
    """Name some lesions of each class."""
    rng = generator(protocol.seed, "gallery")
    for label, name in enumerate(CLASSES):
        rows = rng.permutation(np.flatnonzero(truth.classes == label))[: _OF_FOLD * FOLDS]
        yield _sample(protocol, Sample(tuple(int(row) for row in rows)), f"some lesions: {name}")


def _sample(protocol: ProtocolRun, config: Sample, label: str) -> Task:
    return Task(SAMPLE, config, {"cohort": protocol.cohort}, label=label)


def _spares(protocol: ProtocolRun, kind: str, best: int) -> dict[tuple[str, int], Task]:
    """Name the last images of every generator, by its role and fold."""
    return {
        (role, fold): Task(
            EXCERPT,
            Excerpt(("images",), -_OF_FOLD),
            {"generator": task},
            label=f"spare images, {task.label}",
        )
        for fold, split in enumerate(protocol.splits)
        for role, task in generators(protocol, split, kind, classic=best).items()
    }


def _synthetic(
    store: ArtifactStore, protocol: ProtocolRun, kind: str, best: int
) -> dict[str, np.ndarray]:
    """Return a kind's spare images by class, fold by fold."""
    by_class: dict[str, list[np.ndarray]] = {name: [] for name in CLASSES}
    for (role, _), task in _spares(protocol, kind, best).items():
        images = store.load(task)["images"]
        names = CLASSES if role == ROLE else (role.removeprefix(f"{ROLE}-"),)
        for name, of_class in zip(names, images, strict=True):
            by_class[name].append(of_class)
    return {name: np.concatenate(found) for name, found in by_class.items()}


ANALYSIS = Analysis("pictures", tasks=tasks, arrays=arrays, sections=(report.section,))
