"""How varied the images are that a training set gains: synthetic ones, or a few more real cases.

The paper says that GAN samples bring "more diversity than using few more real images" (4.2.2), and
shows no figure. Measure synthetic images, and as many augmentations of the real cases, against the
same held-out lesions.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from training.quality.manifold import covered


class Diversity(NamedTuple):
    """How much of what is real a set of images reaches, and how far it spreads.

    `coverage`: share of held-out lesions that have an image near, 0 to 1. `variance`: the images'
    mean squared distance from their mean, in the unit of the space, squared.
    """

    coverage: float
    variance: float


def measure(
    images: Float[np.ndarray, "m d"], held_out: Float[np.ndarray, "n d"], *, nearest: int = 5
) -> Diversity:
    """Measure the images of one class in one space, against held-out lesions of that class.

    Coverage is Naeem et al.'s (2020); it grows with the number of images, so compare equal numbers,
    lesion by lesion with `manifold.covered`. Noise raises variance as well as variety does: read
    both. Raise `ValueError` where there are at most `nearest` held-out lesions.
    """
    return Diversity(
        float(covered(held_out, images, nearest=nearest).mean()), total_variance(images)
    )


def total_variance(features: Float[np.ndarray, "n d"]) -> float:
    """Return the trace of the covariance matrix, the mean squared distance from the mean."""
    return float(features.var(axis=0, dtype=np.float64).sum())
