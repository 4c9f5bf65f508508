"""Training sets (paper Table 1, 4.2): originals, and so many of each further kind of image.

Sizes are the paper's way of counting: added per fold. A network that trains on two of three folds
gets twice as many, one that trains on a whole cohort three times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from training.data import datasets
from training.data.datasets import Labelled, Scaling
from training.data.folds import FOLDS
from training.data.patches import Patches

#: The paper's training sets, each the one before and something more: the lesions alone, + classic
#: augmentation, + a generator's images.
Arm = Literal["none", "classic", "gan"]
ARMS: tuple[Arm, ...] = get_args(Arm)

#: Gives `count` synthetic images [count, 64, 64] in (0, 1) of a class, by its label.
ImageSource = Callable[[int, int], Tensor]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What is trained on besides the originals.

    Classic augmentations of them, per fold; synthetic lesions, and new real cases with their
    augmentations, per class and fold.

    Without `originals` only what is added is trained on (train on synthetic, test on real). They
    are repeated until there are as many as in a group of `repeated_per_fold`, where that is set.
    """

    classic_per_fold: int = 0
    synthetic_per_class: int = 0
    new_per_class: int = 0
    originals: bool = True
    repeated_per_fold: int = 0


class Sources(NamedTuple):
    """What a training set is taken from: a cohort, and what is added to it."""

    patches: Patches
    synthetic: ImageSource | None = None
    new: Patches | None = None


def group_size(per_fold: int, chosen: Bool[np.ndarray, " n"]) -> int:
    """Return how many images a group of so many per fold has on this training part."""
    return round(per_fold * FOLDS * float(chosen.mean()))


def build(
    wanted: TrainingSet,
    sources: Sources,
    chosen: Bool[np.ndarray, " n"],
    *,
    device: torch.device,
    scaling: Scaling = "window",
) -> Labelled:
    """Put a training set together from the `chosen` lesions of a cohort, on the device.

    Raise `RunError` where a source has too few images, `ValueError` where there is none.
    """
    patches, sets = sources.patches, []
    if wanted.originals:
        own = datasets.originals(patches, chosen, device=device, scaling=scaling)
        if wanted.repeated_per_fold:
            own = own.repeated(group_size(wanted.repeated_per_fold, chosen))
        sets.append(own)
    if wanted.classic_per_fold:
        size = group_size(wanted.classic_per_fold, chosen)
        sets.append(datasets.classic(patches, chosen, count=size, device=device, scaling=scaling))
    if wanted.synthetic_per_class:
        if sources.synthetic is None:
            raise ValueError("found no source of synthetic images, expected one")
        size = group_size(wanted.synthetic_per_class, chosen)
        classes = len(patches.class_list)
        for label in range(classes):
            images = sources.synthetic(label, size).to(device)
            sets.append(Labelled(images, torch.full((size,), label, device=device), classes))
    if wanted.new_per_class:
        if sources.new is None:
            raise ValueError("found no new cases, expected some")
        size = group_size(wanted.new_per_class, chosen)
        sets.append(_new(sources.new, size, device=device, scaling=scaling))
    return reduce(add, sets)


def _new(patches: Patches, per_class: int, *, device: torch.device, scaling: Scaling) -> Labelled:
    """Take new cases' own patches and as many augmentations as fill the group (paper 4.2.2)."""
    sets = []
    for label in range(len(patches.class_list)):
        mine = patches.classes == label
        own = datasets.originals(patches, mine, device=device, scaling=scaling)
        count = max(0, per_class - int(mine.sum()))
        more = datasets.classic(patches, mine, count=count, device=device, scaling=scaling)
        both = own + more
        sets.append(Labelled(both.images[:per_class], both.labels[:per_class], both.classes))
    return reduce(add, sets)
