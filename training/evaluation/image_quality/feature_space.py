"""From raw features to a space where distances and dot products can be compared.

Both spaces are fitted on real training images and have rows of mean square 1 or about it, which is
what the kernel distance expects. Units that are dead in the reference are left out: dividing by
their spread made a few noisy ones rule all distances.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

_DEAD = 1e-6  # of the most lively unit's standard deviation
_ROUNDING = 1e-9  # a spread that is this small beside the values is rounding
_LIMIT = 5.0  # in robust standard deviations
_QUARTILES_OF_NORMAL = 1.3489795  # interquartile range of a standard normal


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """Features of a network, as directions: rows of the units that are alive, of mean square 1.

    Dot products divided by their number of columns are cosines.
    """

    alive: Bool[np.ndarray, " k"]

    def __call__(self, features: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n d"]:
        """Return the directions. A row on which no unit fires has none: it stays at the origin."""
        kept = _finite(features)[:, self.alive]
        size = np.sqrt((kept**2).mean(axis=1, keepdims=True))
        return kept / np.where(size > 0, size, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """Features in units of their own, such as textures, in robust standard deviations.

    What is further than 5 of them from the median counts as 5, so that no single heavy-tailed
    feature rules a distance.
    """

    alive: Bool[np.ndarray, " k"]
    median: Float64[np.ndarray, " k"]
    spread: Float64[np.ndarray, " k"]

    def __call__(self, features: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n d"]:
        """Return the standardised features, each within -5 to 5."""
        kept = (_finite(features) - self.median)[:, self.alive] / self.spread[self.alive]
        return np.clip(kept, -_LIMIT, _LIMIT)


def fit_directions(reference: Float[np.ndarray, "n k"]) -> Directions:
    """Fit on a network's features of real training images.

    Raise `ValueError` where a feature is not finite or none varies.
    """
    deviation = _finite(reference).std(axis=0)
    return Directions(_some(deviation > _DEAD * deviation.max()))


def fit_standardised(reference: Float[np.ndarray, "n k"]) -> Standardised:
    """Fit medians and interquartile ranges on features of real training images.

    Raise `ValueError` where a feature is not finite or none varies.
    """
    low, median, high = np.quantile(_finite(reference), (0.25, 0.5, 0.75), axis=0)
    spread = (high - low) / _QUARTILES_OF_NORMAL
    alive = _some(spread > _ROUNDING * np.abs(reference).max(axis=0))
    return Standardised(alive, median, spread)


def _finite(features: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
    bad = np.flatnonzero(~np.isfinite(features).all(axis=0))
    if len(bad):
        raise ValueError(f"found values that are not finite in features {bad.tolist()}")
    return features.astype(np.float64)


def _some(alive: Bool[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
    if not alive.any():
        raise ValueError("found no feature that varies over the reference, expected at least one")
    return alive
