"""Figs. 3 and 6: one lesion's augmentations, and synthetic lesions beside real ones.

Lesions are drawn at random. The synthetic ones are the last that each fold's generators drew:
spares, never trained on.
"""

from collections.abc import Iterator

import numpy as np

from lesion.classes import CLASSES
from training.data import datasets
from training.data.folds import FOLDS
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction.analyses.curves import KINDS
from training.reproduction.predictions import Truth
from training.reproduction.protocol import Trial, generators
from training.reproduction.setup import Study
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.reproduction.tasks.generator import Kind
from training.reproduction.tasks.sample import SAMPLE, Sample
from training.seeds import generator

#: Patches of Fig. 3; synthetic lesions of each class and fold.
_AUGMENTED, _OF_FOLD = 24, 4


def cells(study: Study) -> Iterator[Cell]:
    """Yield the cells."""
    trial, truth, best = study.trial, study.truth, study.classic
    yield _augmented(trial, truth)
    yield from _real(trial, truth)
    for kind in KINDS:
        yield from _spares(trial, kind, best).values()


def arrays(store: Store, study: Study) -> dict[str, np.ndarray]:
    """Return float16 patches [n, 64, 64] in (0, 1).

    `augmented`, a lesion first; of each class `real-<class>` and `<kind>-<class>`, fold by fold.
    """
    trial, truth, best = study.trial, study.truth, study.classic
    one = store.load(_augmented(trial, truth))
    shown: dict[str, np.ndarray] = {
        "augmented": np.concatenate([one["originals"], one["variants"][0]])
    }
    for name, cell in zip(CLASSES, _real(trial, truth), strict=True):
        shown[f"real-{name}"] = store.load(cell)["originals"]
    unit = {name: datasets.rescale(hu, trial.experiment.scaling) for name, hu in shown.items()}
    for kind in KINDS:
        for label, images in _synthetic(store, trial, kind, best).items():
            unit[f"{kind}-{label}"] = images
    return {name: patches.astype(np.float16) for name, patches in unit.items()}


def _augmented(trial: Trial, truth: Truth) -> Cell:
    """Name one lesion and some of its augmentations."""
    row = int(generator(trial.seed, "augmented").integers(len(truth.classes)))
    return _sample(trial, Sample((row,), _AUGMENTED - 1), "a lesion and its augmentations")


def _real(trial: Trial, truth: Truth) -> Iterator[Cell]:
    """Name some lesions of each class."""
    rng = generator(trial.seed, "gallery")
    for label, name in enumerate(CLASSES):
        rows = rng.permutation(np.flatnonzero(truth.classes == label))[: _OF_FOLD * FOLDS]
        yield _sample(trial, Sample(tuple(int(row) for row in rows)), f"some lesions: {name}")


def _sample(trial: Trial, config: Sample, label: str) -> Cell:
    return Cell(SAMPLE, config, {"cohort": trial.cohort}, label=label)


def _spares(trial: Trial, kind: Kind, best: int) -> dict[tuple[str, int], Cell]:
    """Name the last images of every generator, by its role and fold."""
    return {
        (role, fold): Cell(
            EXCERPT,
            Excerpt(("images",), -_OF_FOLD),
            {"generator": cell},
            label=f"spare images, {cell.label}",
        )
        for fold, split in enumerate(trial.splits)
        for role, cell in generators(trial, split, kind, classic=best).items()
    }


def _synthetic(store: Store, trial: Trial, kind: Kind, best: int) -> dict[str, np.ndarray]:
    """Return a kind's spare images by class, fold by fold."""
    by_class: dict[str, list[np.ndarray]] = {name: [] for name in CLASSES}
    for (role, _), cell in _spares(trial, kind, best).items():
        images = store.load(cell)["images"]
        names = CLASSES if role == "synthetic" else (role.removeprefix("synthetic-"),)
        for name, of_class in zip(names, images, strict=True):
            by_class[name].append(of_class)
    return {name: np.concatenate(found) for name, found in by_class.items()}
