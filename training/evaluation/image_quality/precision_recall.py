"""Fidelity and variety apart: balls around images stand for the manifold that they lie on."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.distance import cdist

from training.evaluation.image_quality import nearest_neighbours


class Manifold(NamedTuple):
    """Fidelity (precision, density) and variety (recall, coverage); all but density in 0 to 1."""

    precision: float
    recall: float
    density: float
    coverage: float


def measure(
    real: Float[np.ndarray, "n d"], synthetic: Float[np.ndarray, "m d"], *, nearest: int = 5
) -> Manifold:
    """Compare synthetic images with real ones that the generator did not see.

    A ball reaches from an image to its `nearest`-th neighbour in its own set, rim included.
    Precision is the share of synthetic images in some real ball, recall of real ones in some
    synthetic ball (Kynkaanniemi et al. 2019, who take the 3rd neighbour). Density is the mean
    number of real balls around a synthetic image, divided by `nearest`, 1 for equal distributions;
    coverage the share of real balls with a synthetic image in them (Naeem et al. 2020, who take the
    5th). Recall and coverage grow with the number of synthetic images: compare equal numbers, and
    see `expected_coverage`. Raise `ValueError` where a set has at most `nearest` rows.
    """
    apart = cdist(real, synthetic)
    in_real = apart <= _radii(real, nearest)[:, None]
    in_synthetic = apart <= _radii(synthetic, nearest)[None, :]
    return Manifold(
        precision=float(in_real.any(axis=0).mean()),
        recall=float(in_synthetic.any(axis=1).mean()),
        density=float(in_real.sum(axis=0).mean() / nearest),
        coverage=float(in_real.any(axis=1).mean()),
    )


def covered(
    real: Float[np.ndarray, "n d"], images: Float[np.ndarray, "m d"], *, nearest: int = 5
) -> Bool[np.ndarray, " n"]:
    """Mark the real images whose ball holds one of `images`: the mean is the coverage.

    Two sets of images can so be compared lesion by lesion. Many rows do not fill the memory.
    """
    _check(real, nearest)
    radii = nearest_neighbours.distances(real, real, nearest=nearest + 1)[:, -1]
    covers: np.ndarray = nearest_neighbours.distances(real, images)[:, 0] <= radii
    return covers


def expected_coverage(real: int, synthetic: int, *, nearest: int = 5) -> float:
    """Return the mean coverage of `real` images by as good as real ones (Naeem et al. 2020).

    A real image is missed if its `nearest` neighbours among all others are all real.
    """
    i = np.arange(1, nearest + 1)
    return float(1 - np.prod((real - i) / (real + synthetic - i)))


def _radii(points: Float[np.ndarray, "n d"], nearest: int) -> Float[np.ndarray, " n"]:
    _check(points, nearest)
    # The 0-th nearest is the image itself.
    return np.partition(cdist(points, points), nearest, axis=1)[:, nearest]


def _check(points: Float[np.ndarray, "n d"], nearest: int) -> None:
    if len(points) <= nearest:
        raise ValueError(f"found {len(points)} images, expected more than {nearest}")
