"""What each network trains on: selections of the patch cache, as tensors on the device (paper 4.2).

A group of classic augmentations takes the same number from every lesion, and of a lesion's patches
always the first ones in their random order, so that a larger group contains the smaller (D_aug 1 is
part of D_aug 2, and so on).
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from training.patches import Patches
from training.presets import HU_WINDOW


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images [n, 64, 64] in (0, 1) and their classes, int64 [n]."""

    images: Tensor
    labels: Tensor

    def __add__(self, other: "Labelled") -> "Labelled":
        """Put two sets together."""
        return Labelled(
            torch.cat([self.images, other.images]), torch.cat([self.labels, other.labels])
        )

    def of_class(self, index: int) -> "Labelled":
        """Take one class's images."""
        mine = self.labels == index
        return Labelled(self.images[mine], self.labels[mine])

    def repeated(self, size: int) -> "Labelled":
        """Repeat the images, all equally often, until there are about `size` of them."""
        times = max(1, round(size / len(self.labels)))
        return Labelled(self.images.repeat(times, 1, 1), self.labels.repeat(times))


def to_unit(patch_hu: Float[np.ndarray, "*n 64 64"]) -> Float[np.ndarray, "*n 64 64"]:
    """Rescale HU to (0, 1) by the fixed window (paper 2.2); what lies outside is clipped."""
    low, high = HU_WINDOW
    unit: np.ndarray = np.clip((patch_hu.astype(np.float32) - low) / (high - low), 0.0, 1.0)
    return unit


def originals(
    patches: Patches, chosen: Bool[np.ndarray, " n"], *, device: torch.device
) -> Labelled:
    """Take the chosen lesions' own patches: D_aug 1."""
    return _labelled(patches.originals[chosen], patches.classes[chosen], device=device)


def classic(
    patches: Patches, chosen: Bool[np.ndarray, " n"], *, count: int, device: torch.device
) -> Labelled:
    """Take about `count` augmentations of the chosen lesions, equally many of each."""
    lesions = np.flatnonzero(chosen)
    each = min(round(count / len(lesions)), patches.variants.shape[1])
    hu = np.concatenate([patches.variants[row, :each] for row in lesions])
    return _labelled(hu, np.repeat(patches.classes[lesions], each), device=device)


def _labelled(
    hu: Float[np.ndarray, "m 64 64"], classes: np.ndarray, *, device: torch.device
) -> Labelled:
    return Labelled(
        torch.from_numpy(to_unit(hu)).to(device),
        torch.from_numpy(classes.astype(np.int64)).to(device),
    )
