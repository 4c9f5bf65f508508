"""Gabor features: how strongly a patch answers to each scale and orientation (paper 4.5).

The paper names four numbers per filter, "mean, std, energy and entropy", and no filter bank. Ours
has the size of Manjunath and Ma's (1996): four scales, six orientations, 0.05 to 0.4 cycles a
pixel.
"""

import numpy as np
from jaxtyping import Complex64, Float, Float32, Float64
from scipy import fft
from scipy.special import entr
from skimage.filters import gabor_kernel

from lesion.roi import PATCH_SIZE
from training.data.datasets import to_unit

#: Cycles a pixel, an octave apart: waves of 20, 10, 5 and 2.5 pixels.
FREQUENCIES = (0.05, 0.1, 0.2, 0.4)
ORIENTATIONS = 6
STATISTICS = ("mean", "standard deviation", "energy", "entropy")
#: What each column of `describe` is.
NAMES = tuple(
    f"{statistic}, {frequency} cycles a pixel, {180 * turn // ORIENTATIONS} degrees"
    for frequency in FREQUENCIES
    for turn in range(ORIENTATIONS)
    for statistic in STATISTICS
)

#: Pixels of mirror image around a patch, so that its edge is no edge to the filters.
_MARGIN = PATCH_SIZE // 2
_BATCH = 64  # patches filtered together: bounds the memory


def describe(patches_hu: Float32[np.ndarray, "n 64 64"]) -> Float64[np.ndarray, "n k"]:
    """Return statistics of the response's magnitude, for each scale and orientation.

    The columns are `NAMES`: mean, standard deviation, energy (mean square) and the entropy, in
    nats, of the magnitude's distribution over the patch. Each row depends on its own patch alone.
    """
    filters = bank()
    parts = [
        _statistics(magnitudes(patches_hu[start : start + _BATCH], filters))
        for start in range(0, len(patches_hu), _BATCH)
    ]
    return np.concatenate([np.empty((0, len(NAMES))), *parts])


def magnitudes(
    patches_hu: Float32[np.ndarray, "n 64 64"], filters: Complex64[np.ndarray, "filters 128 128"]
) -> Float32[np.ndarray, "n filters 64 64"]:
    """Return the magnitude of each filter's complex response, in units of the HU window."""
    unit = to_unit(patches_hu)
    # The filters' sum is not quite 0; without its mean a patch's level does not matter.
    unit = unit - unit.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    mirrored = np.pad(unit, ((0, 0), (_MARGIN, _MARGIN), (_MARGIN, _MARGIN)), mode="symmetric")
    spectrum = fft.fft2(mirrored)
    inside = slice(_MARGIN, -_MARGIN)
    responses = [np.abs(fft.ifft2(spectrum * kernel))[:, inside, inside] for kernel in filters]
    return np.stack(responses, axis=1)


def bank() -> Complex64[np.ndarray, "filters 128 128"]:
    """Return the filters' spectra; each kernel is centred on the array's origin."""
    size = PATCH_SIZE + 2 * _MARGIN
    filters = np.zeros((len(FREQUENCIES) * ORIENTATIONS, size, size), dtype=np.complex64)
    turns = np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS
    for placed, (frequency, turn) in zip(
        filters, ((f, t) for f in FREQUENCIES for t in turns), strict=True
    ):
        # Two and a half standard deviations reach at most 29 pixels: the margin is wider.
        kernel = gabor_kernel(frequency, theta=turn, bandwidth=1, n_stds=2.5)
        height, width = kernel.shape
        placed[:height, :width] = kernel
        placed[:] = np.roll(placed, (-(height // 2), -(width // 2)), axis=(0, 1))
    return fft.fft2(filters)


def _statistics(magnitude: Float32[np.ndarray, "n filters 64 64"]) -> Float[np.ndarray, "n k"]:
    flat = magnitude.astype(np.float64).reshape(*magnitude.shape[:2], -1)
    total = flat.sum(axis=2, keepdims=True)
    # A flat patch answers nowhere: its magnitude is spread evenly.
    share = np.divide(flat, total, out=np.full_like(flat, 1 / flat.shape[2]), where=total > 0)
    statistics = (
        flat.mean(axis=2),
        flat.std(axis=2),
        (flat**2).mean(axis=2),
        entr(share).sum(axis=2),
    )
    return np.stack(statistics, axis=2).reshape(len(flat), -1)
