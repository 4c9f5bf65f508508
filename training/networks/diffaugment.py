"""Differentiable augmentation of all that a discriminator sees (Zhao et al. 2020).

With a few dozen lesions a discriminator learns them by heart; through random changes, of real and
synthetic images alike, it cannot. They are drawn for each image: brightness, contrast, a shift by
up to an eighth of the side, and a blanked square of about a third of it.
"""

import torch
from torch import Tensor

_BRIGHTNESS = 0.2
_CONTRAST = 0.2
_SHIFT = 1 / 8
_CUTOUT = 0.4


def differentiable_augmentation(image: Tensor) -> Tensor:
    """[n, 1, s, s] in (-1, 1) -> the same shape, augmented; gradients flow through."""
    return _cutout(_shift(_contrast(_brightness(image))))


def _brightness(image: Tensor) -> Tensor:
    return image + (torch.rand(len(image), 1, 1, 1, device=image.device) - 0.5) * 2 * _BRIGHTNESS


def _contrast(image: Tensor) -> Tensor:
    mean = image.mean(dim=(1, 2, 3), keepdim=True)
    change = 1 + (torch.rand(len(image), 1, 1, 1, device=image.device) - 0.5) * 2 * _CONTRAST
    return (image - mean) * change + mean


def _shift(image: Tensor) -> Tensor:
    n, _, side, _ = image.shape
    reach = int(side * _SHIFT)
    dy, dx = torch.randint(-reach, reach + 1, (2, n, 1), device=image.device)
    index = torch.arange(side, device=image.device)
    # The edge is repeated, as the ROI rule does: a black border would be a feature of its own.
    rows = (index + dy).clamp(0, side - 1)
    cols = (index + dx).clamp(0, side - 1)
    batch = torch.arange(n, device=image.device)
    return image[batch[:, None, None], 0, rows[:, :, None], cols[:, None, :]].unsqueeze(1)


def _cutout(image: Tensor) -> Tensor:
    n, _, side, _ = image.shape
    half = int(side * _CUTOUT) // 2
    centre = torch.randint(0, side, (2, n, 1, 1, 1), device=image.device)
    index = torch.arange(side, device=image.device)
    in_rows = (index.view(1, 1, side, 1) - centre[0]).abs() < half
    in_cols = (index.view(1, 1, 1, side) - centre[1]).abs() < half
    return image.masked_fill(in_rows & in_cols, 0.0)
