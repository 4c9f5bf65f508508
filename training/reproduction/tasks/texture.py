"""Texture features (radiomics-like) of patches or of synthetic images: a second feature space."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.data.datasets import HU_WINDOW
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.features import haralick


@dataclass(frozen=True, slots=True)
class Texture:
    """Haralick's features of the input's `originals`, or of its `images`, class by class."""


def _describe(_config: Texture, inputs: Mapping[str, Arrays]) -> Arrays:
    (arrays,) = inputs.values()
    if "originals" in arrays:
        return {"features": haralick.describe(np.asarray(arrays["originals"]))}
    low, high = HU_WINDOW
    images = np.asarray(arrays["images"], dtype=np.float32) * (high - low) + low
    return {"features": np.stack([haralick.describe(of_class) for of_class in images])}


TEXTURE = TaskKind("texture", _describe)
