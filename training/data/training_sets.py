"""Training sets (paper Table 1, 4.2): originals, and so many of each further kind of image.

Sizes are the paper's way of counting: added per fold. A network that trains on two of three folds
gets twice as many, one that trains on a whole cohort three times.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from lesion.classes import CLASSES
from lesion.errors import RunError
from training.data import datasets
from training.data.datasets import Labelled, Scaling
from training.data.folds import FOLDS
from training.pipeline.tasks import Arrays
from training.reproduction.tasks.cohort import as_patches


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What is trained on besides the originals.

    Classic augmentations of them, per fold; synthetic lesions, and new real cases with their
    augmentations, per class and fold.

    Without `originals` only what is added is trained on (train on synthetic, test on real).
    """

    classic_per_fold: int = 0
    synthetic_per_class: int = 0
    new_per_class: int = 0
    originals: bool = True


def group_size(per_fold: int, chosen: Bool[np.ndarray, " n"]) -> int:
    """Return how many images a group of so many per fold has on this training part."""
    return round(per_fold * FOLDS * float(chosen.mean()))


def assemble(
    wanted: TrainingSet,
    inputs: Mapping[str, Arrays],
    chosen: Bool[np.ndarray, " n"],
    *,
    scaling: Scaling,
    device: torch.device,
) -> Labelled:
    """Put a training set together from the roles `cohort`, `synthetic-<class>` and `new`.

    Synthetic images are in (0, 1) already. Raise `RunError` where there are too few.
    """
    patches = as_patches(inputs["cohort"])
    sets = []
    if wanted.originals:
        sets.append(datasets.originals(patches, chosen, device=device, scaling=scaling))
    if wanted.classic_per_fold:
        size = group_size(wanted.classic_per_fold, chosen)
        sets.append(datasets.classic(patches, chosen, count=size, device=device, scaling=scaling))
    if wanted.synthetic_per_class:
        size = group_size(wanted.synthetic_per_class, chosen)
        images = [_first(synthetic_images(inputs, label), size) for label in range(len(CLASSES))]
        sets.append(_put(np.concatenate(images), np.repeat(range(len(CLASSES)), size), device))
    if wanted.new_per_class:
        size = group_size(wanted.new_per_class, chosen)
        sets.append(_new(inputs["new"], size, scaling=scaling, device=device))
    return reduce(add, sets)


def synthetic_images(inputs: Mapping[str, Arrays], label: int) -> np.ndarray:
    """Return a class's synthetic images [count, 64, 64], of a generator of its own or of all."""
    if "synthetic" in inputs:
        return inputs["synthetic"]["images"][label]
    return inputs[f"synthetic-{CLASSES[label]}"]["images"][0]


def _first(images: np.ndarray, size: int) -> np.ndarray:
    if len(images) < size:
        raise RunError(f"found {len(images)} synthetic images of a class, expected {size}")
    return np.asarray(images[:size], dtype=np.float32)


def _new(arrays: Arrays, per_class: int, *, scaling: Scaling, device: torch.device) -> Labelled:
    """Take new cases' own patches and as many augmentations as fill the group (paper 4.2.2)."""
    patches = as_patches(arrays)
    sets = []
    for label in range(len(CLASSES)):
        mine = patches.classes == label
        own = datasets.originals(patches, mine, device=device, scaling=scaling)
        count = max(0, per_class - int(mine.sum()))
        more = datasets.classic(patches, mine, count=count, device=device, scaling=scaling)
        both = own + more
        sets.append(Labelled(both.images[:per_class], both.labels[:per_class]))
    return reduce(add, sets)


def _put(images: np.ndarray, labels: np.ndarray, device: torch.device) -> Labelled:
    put: Tensor = torch.from_numpy(images).to(device)
    return Labelled(put, torch.from_numpy(labels.astype(np.int64)).to(device))
