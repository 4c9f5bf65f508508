"""Images of two sources in one set, half and half, to see whether both do more than either."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesion.classes import CLASSES
from lesion.errors import RunError
from training.experiment.cell import Arrays, Work
from training.experiment.work.sets import synthetic_images

#: The role of the second source, which has every class; the first is under `synthetic...`.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Join:
    """`count` images of each class: the first half the first source's, the rest the other's."""

    count: int


def _join(config: Join, inputs: Mapping[str, Arrays]) -> Arrays:
    half = config.count // 2
    other = _first(inputs[OTHER]["images"], config.count - half)
    own = [_first(synthetic_images(inputs, label)[None], half) for label in range(len(CLASSES))]
    return {"images": np.concatenate([np.concatenate(own), other], axis=1)}


def _first(images: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` images of each class."""
    if images.shape[1] < count:
        raise RunError(f"found {images.shape[1]} images of a class, expected {count}")
    return images[:, :count]


JOINED = Work("joined", _join, bulky=True)
