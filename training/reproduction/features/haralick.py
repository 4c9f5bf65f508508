"""Grey-level co-occurrence matrices and Haralick's texture features (Haralick et al. 1973).

scikit-image counts the pairs; it has only six of the thirteen features, so the formulas are here.
They keep the paper's numbers f1 to f13. Entropies are in nats, grey levels count from 0, and two of
the paper's ambiguities are settled as is usual: the sum variance f7 is taken about the sum average
f6 (the paper prints f8), the difference variance f10 is that of |i - j|.
"""

import numpy as np
from jaxtyping import Float32, Float64, UInt8
from scipy.special import entr
from skimage.feature import graycomatrix

from training.data.datasets import to_unit

#: 12.5 HU a level in the window of 400 HU, about the noise of a portal-phase slice.
LEVELS = 32
#: Pixels between the two of a pair; along a diagonal, steps of (d, d), as in the 1973 paper.
DISTANCES = (1, 2, 4)
FEATURES = (
    "angular second moment",
    "contrast",
    "correlation",
    "variance",
    "inverse difference moment",
    "sum average",
    "sum variance",
    "sum entropy",
    "entropy",
    "difference variance",
    "difference entropy",
    "information measure of correlation 1",
    "information measure of correlation 2",
)
#: What each column of `describe` is.
NAMES = tuple(
    f"{feature}, distance {distance}, {over} of angles"
    for distance in DISTANCES
    for over in ("mean", "range")
    for feature in FEATURES
)


def describe(patches_hu: Float32[np.ndarray, "n 64 64"]) -> Float64[np.ndarray, "n k"]:
    """Return the features of each patch: mean and range over four angles, at each distance.

    The columns are `NAMES`. Each row depends on its own patch alone.
    """
    return np.array([_row(levels) for levels in quantise(patches_hu)]).reshape(-1, len(NAMES))


def quantise(patches_hu: Float32[np.ndarray, "*n 64 64"]) -> UInt8[np.ndarray, "*n 64 64"]:
    """Return grey levels, 0 to `LEVELS` - 1: equal steps of the fixed HU window."""
    return np.minimum(to_unit(patches_hu) * LEVELS, LEVELS - 1).astype(np.uint8)


def cooccurrence(
    levels: UInt8[np.ndarray, "h w"], distance: int
) -> Float64[np.ndarray, "levels levels 4"]:
    """Return symmetric matrices p(i, j) that sum to 1, for the angles 0, 45, 90 and 135 degrees."""
    # scikit-image rounds the offset of an angle to whole pixels: sqrt(2) gives (d, d) on diagonals.
    straight, diagonal = (
        graycomatrix(levels, [reach], angles, levels=LEVELS, symmetric=True, normed=True)[:, :, 0]
        for reach, angles in (
            (distance, (0.0, np.pi / 2)),
            (distance * np.sqrt(2), (np.pi / 4, 3 * np.pi / 4)),
        )
    )
    return np.stack([straight, diagonal], axis=3).reshape(LEVELS, LEVELS, 4)


def features(p: Float64[np.ndarray, "levels levels m"]) -> Float64[np.ndarray, "m 13"]:
    """Return f1 to f13 of each of m symmetric matrices p(i, j), by Haralick 1973, appendix I.

    Of a patch of one level the correlation is 1, and information measure 1 is 0.
    """
    i, j = np.indices(p.shape[:2])[..., None]
    k = np.arange(2 * len(p) - 1)[:, None]
    p_x = p.sum(axis=1)  # equals p_y: the matrices are symmetric
    p_sum, p_difference = _along_diagonals(p)
    mean = (k[: len(p)] * p_x).sum(axis=0)
    variance = (k[: len(p)] ** 2 * p_x).sum(axis=0) - mean**2
    covariance = (i * j * p).sum(axis=(0, 1)) - mean**2
    sum_average = (k * p_sum).sum(axis=0)
    difference_average = (k[: len(p)] * p_difference).sum(axis=0)
    h_x = entr(p_x).sum(axis=0)
    h_xy = entr(p).sum(axis=(0, 1))
    # HXY1 and HXY2 are both the entropy of p_x(i) p_y(j), which is 2 HX.
    information = 2 * h_x - h_xy
    return np.stack(
        [
            (p**2).sum(axis=(0, 1)),
            ((i - j) ** 2 * p).sum(axis=(0, 1)),
            np.divide(covariance, variance, out=np.ones_like(mean), where=variance > 0),
            variance,
            (p / (1 + (i - j) ** 2)).sum(axis=(0, 1)),
            sum_average,
            ((k - sum_average) ** 2 * p_sum).sum(axis=0),
            entr(p_sum).sum(axis=0),
            h_xy,
            ((k[: len(p)] - difference_average) ** 2 * p_difference).sum(axis=0),
            entr(p_difference).sum(axis=0),
            np.divide(-information, h_x, out=np.zeros_like(mean), where=h_x > 0),
            np.sqrt(1 - np.exp(-2 * np.maximum(information, 0))),
        ],
        axis=1,
    )


def _row(levels: UInt8[np.ndarray, "64 64"]) -> Float64[np.ndarray, " k"]:
    matrices = np.concatenate([cooccurrence(levels, d) for d in DISTANCES], axis=2)
    of_angle = features(matrices).reshape(len(DISTANCES), 4, len(FEATURES))
    return np.stack([of_angle.mean(axis=1), np.ptp(of_angle, axis=1)], axis=1).ravel()


def _along_diagonals(
    p: Float64[np.ndarray, "levels levels m"],
) -> tuple[Float64[np.ndarray, "sums m"], Float64[np.ndarray, "levels m"]]:
    """Return the distributions p_x+y(k) and p_x-y(k) of i + j and of |i - j|."""
    n = len(p)
    i, j = np.indices((n, n))
    sums, differences = np.zeros((2 * n - 1, p.shape[2])), np.zeros((n, p.shape[2]))
    np.add.at(sums, i + j, p)
    np.add.at(differences, np.abs(i - j), p)
    return sums, differences
