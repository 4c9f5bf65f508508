"""Generators' images among a task's inputs: one role for all classes, or one for each."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from lesion.errors import RunError
from training.data.training_sets import Sources
from training.phantom.classes import CLASSES
from training.pipeline.tasks import Arrays
from training.reproduction.tasks.cohort import from_arrays

#: The role of images of all classes [3, count, 64, 64]; those of one class have its name behind it.
ROLE = "synthetic"


def of_class(inputs: Mapping[str, Arrays], label: int) -> np.ndarray:
    """Return a class's synthetic images [count, 64, 64], of a generator of its own or of all."""
    if ROLE in inputs:
        return inputs[ROLE]["images"][label]
    return inputs[f"{ROLE}-{CLASSES[label]}"]["images"][0]


def sources(inputs: Mapping[str, Arrays]) -> Sources:
    """Return what training sets are taken from: the roles `cohort`, `synthetic...` and `new`."""

    def take(label: int, count: int) -> Tensor:
        images = of_class(inputs, label)
        if len(images) < count:
            raise RunError(f"found {len(images)} synthetic images of a class, expected {count}")
        return torch.from_numpy(np.array(images[:count], dtype=np.float32))

    new = from_arrays(inputs["new"]) if "new" in inputs else None
    return Sources(from_arrays(inputs["cohort"]), take, new)
