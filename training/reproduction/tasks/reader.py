"""A machine that tells real from synthetic lesions: a reader that never tires (paper 4.4)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesion.errors import RunError
from training.data.datasets import HU_WINDOW
from training.evaluation.image_quality import reader
from training.phantom.classes import CLASSES
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.features import gabor, haralick
from training.reproduction.tasks.cohort import from_arrays


@dataclass(frozen=True, slots=True)
class Reader:
    """Shown all lesions of the cohort, and synthetic ones.

    Of each class as many as `shares` gives to the fold; roles are `<kind> <fold>`, or
    `<kind>-<class> <fold>` where each class has a network of its own.
    """

    shares: tuple[int, ...]
    seed: int


def _read(config: Reader, inputs: Mapping[str, Arrays]) -> Arrays:
    patches = from_arrays(inputs["cohort"])
    roles = sorted(inputs.keys() - {"cohort"}, key=_place)
    images = np.concatenate(
        [
            of_class[: config.shares[_place(role)[0]]]
            for role in roles
            for of_class in inputs[role]["images"]
        ]
    )
    low, high = HU_WINDOW
    hu = np.concatenate(
        [np.clip(patches.originals, low, high), images.astype(np.float32) * (high - low) + low]
    )
    real = np.arange(len(hu)) < len(patches.originals)
    lesions = np.concatenate([patches.patient_ids, [f"s{i}" for i in range(len(images))]])
    features = np.concatenate([haralick.describe(hu), gabor.describe(hu)], axis=1)
    called = reader.answer(features, real, lesions, seed=config.seed)
    if not (real.any() and (~real).any()):
        raise RunError("found nothing to tell apart")
    return {"called_real": called, "real": real, "lesions": lesions}


def _place(role: str) -> tuple[int, int]:
    """Return a role's fold and class: the order of inputs is no part of a task's name."""
    source, fold = role.split()
    _, _, name = source.partition("-")
    return int(fold), CLASSES.index(name) if name else 0


READER = TaskKind("reader", _read)
