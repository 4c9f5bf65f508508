"""What each network trains on: selections of the patch cache, as tensors on the device (paper 4.2).

A group of classic augmentations takes the same number from every lesion, and of a lesion's patches
always the first ones in their random order, so that a larger group contains the smaller (D_aug 1 is
part of D_aug 2, and so on).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int
from torch import Tensor

from lesion.errors import RunError
from training.data.patches import Patches

#: HU of a bundle's networks: from fat to well-enhanced vessels. Rescaled to (0,1), or to (-1,1) for
#: the generator.
HU_WINDOW = (-150.0, 250.0)

#: How patches are rescaled to (0, 1), which the paper (2.2) does not tell: by a fixed window, which
#: keeps Hounsfield units and is what bundles do; by each patch's own minimum and maximum, as its
#: Fig. 6 looks; or by both in turn.
Scaling = Literal["window", "minmax", "window+minmax"]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images [n, 64, 64] in (0, 1) and their labels, int64 [n], below the number of `classes`."""

    images: Tensor
    labels: Tensor
    classes: int

    def __add__(self, other: "Labelled") -> "Labelled":
        """Put two sets together."""
        return Labelled(
            torch.cat([self.images, other.images]),
            torch.cat([self.labels, other.labels]),
            self.classes,
        )

    def of_class(self, index: int) -> "Labelled":
        """Take one class's images."""
        mine = self.labels == index
        return Labelled(self.images[mine], self.labels[mine], self.classes)

    def repeated(self, size: int) -> "Labelled":
        """Repeat the images, all equally often, until there are about `size` of them."""
        times = max(1, round(size / len(self.labels)))
        return Labelled(self.images.repeat(times, 1, 1), self.labels.repeat(times), self.classes)


def to_unit(patch_hu: Float[np.ndarray, "*n 64 64"]) -> Float[np.ndarray, "*n 64 64"]:
    """Rescale HU to (0, 1) by the fixed window (paper 2.2); what lies outside is clipped."""
    low, high = HU_WINDOW
    unit: np.ndarray = np.clip((patch_hu.astype(np.float32) - low) / (high - low), 0.0, 1.0)
    return unit


def rescale(
    patch_hu: Float[np.ndarray, "*n 64 64"], scaling: Scaling
) -> Float32[np.ndarray, "*n 64 64"]:
    """Rescale HU to (0, 1)."""
    if scaling == "window":
        return to_unit(patch_hu)
    values = patch_hu.astype(np.float32) if scaling == "minmax" else to_unit(patch_hu)
    low = values.min(axis=(-2, -1), keepdims=True)
    spread = values.max(axis=(-2, -1), keepdims=True) - low
    stretched: np.ndarray = (values - low) / np.maximum(spread, np.finfo(np.float32).tiny)
    return stretched


def originals(
    patches: Patches,
    chosen: Bool[np.ndarray, " n"],
    *,
    device: torch.device,
    scaling: Scaling = "window",
) -> Labelled:
    """Take the chosen lesions' own patches: D_aug 1."""
    hu, labels = patches.originals[chosen], patches.classes[chosen]
    return Labelled(*_tensors(hu, labels, device, scaling), classes=len(patches.class_list))


def classic(
    patches: Patches,
    chosen: Bool[np.ndarray, " n"],
    *,
    count: int,
    device: torch.device,
    scaling: Scaling = "window",
) -> Labelled:
    """Take about `count` augmentations of the chosen lesions, equally many of each.

    Raise `RunError` where the lesions were cut into fewer than that takes of each.
    """
    lesions = np.flatnonzero(chosen)
    each, found = round(count / len(lesions)), patches.variants.shape[1]
    if found < each:
        raise RunError(
            f"found {found} augmentations of each of {len(lesions)} lesions, expected {each} for "
            f"a group of {count}: choose a preset with smaller groups, or with more augmentations"
        )
    hu = np.concatenate([patches.variants[row, :each] for row in lesions])
    labels = np.repeat(patches.classes[lesions], each)
    return Labelled(*_tensors(hu, labels, device, scaling), classes=len(patches.class_list))


def _tensors(
    hu: Float[np.ndarray, "m 64 64"],
    labels: Int[np.ndarray, " m"],
    device: torch.device,
    scaling: Scaling,
) -> tuple[Tensor, Tensor]:
    """Put patches in HU, rescaled, and their labels onto the device."""
    return (
        torch.from_numpy(rescale(hu, scaling)).to(device),
        torch.from_numpy(labels.astype(np.int64)).to(device),
    )
