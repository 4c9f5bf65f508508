"""What the phantom's report measures, by the same estimators on simulated and on real slices."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float, Float32
from scipy.ndimage import binary_erosion, gaussian_filter

from lesion.roi import MARGIN, PATCH_SIZE

#: Structure larger than this is taken off before noise is measured.
HIGH_PASS_SIGMA_PX = 4.0
LAGS = (1, 2, 3, 4)

Marked = tuple[Float32[np.ndarray, "rows cols"], Bool[np.ndarray, "rows cols"]]


def noise(
    slices: Iterable[Marked], *, erosion_px: int, upright: bool = False
) -> dict[str, float | list[float]]:
    """Measure noise inside masks, pooled over (HU, mask) slices.

    Of the slice less its Gaussian blur: the standard deviation in HU, and the autocorrelation at 1
    to 4 pixels along the rows, or down the columns if `upright`. The mask is eroded, as its edge is
    no noise.
    """
    sums, counts = np.zeros(1 + len(LAGS)), np.zeros(1 + len(LAGS))
    for hu, mask in slices:
        inside = binary_erosion(mask, iterations=erosion_px)
        if not inside.any():
            continue
        fine = hu - gaussian_filter(hu, HIGH_PASS_SIGMA_PX)
        fine = fine - fine[inside].mean()
        if upright:
            fine, inside = fine.T, inside.T
        for lag in (0, *LAGS):
            both = inside[:, : inside.shape[1] - lag] & inside[:, lag:]
            sums[lag] += (fine[:, : fine.shape[1] - lag] * fine[:, lag:])[both].sum(
                dtype=np.float64
            )
            counts[lag] += both.sum()
    covariance = sums / counts
    lags = [round(float(value), 3) for value in covariance[1:] / covariance[0]]
    return {"sd_hu": round(float(np.sqrt(covariance[0])), 1), "lags": lags}


def rings(patch_hu: Float[np.ndarray, "64 64"]) -> tuple[float, float]:
    """Measure a lesion's centre and rim in its patch, in HU above what lies around it.

    Medians of what is nearer than half the ROI rule's lesion radius to the middle, of a ring within
    the edge (0.8 to 0.95 radii) and of one beyond it (1.15 to 1.4), as if the lesion were round.
    """
    axis = (np.arange(PATCH_SIZE) + 0.5 - PATCH_SIZE / 2) * (2 + 4 * MARGIN) / PATCH_SIZE
    radius = np.hypot(*np.meshgrid(axis, axis))

    def ring(low: float, high: float) -> float:
        return float(np.median(patch_hu[(radius >= low) & (radius < high)]))

    return ring(0, 0.5) - ring(1.15, 1.4), ring(0.8, 0.95) - ring(1.15, 1.4)


def spread(values: Sequence[float] | Float[np.ndarray, " n"]) -> dict[str, float]:
    """Summarise HU or mm: mean, standard deviation and percentiles, to a tenth."""
    array = np.asarray(values, dtype=np.float64)
    p5, p50, p95 = np.percentile(array, (5, 50, 95))
    found = {"mean": array.mean(), "sd": array.std(), "p5": p5, "p50": p50, "p95": p95}
    return {key: round(float(value), 1) for key, value in found.items()} | {"n": array.size}
