"""Whether a generator repeats its training images: are its own nearer to them than new ones.

A smooth image is near to everything, so nearness alone proves no copying. Measure the distances to
as many other real images in the same way: copies are near to the training images alone.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import bootstrap

from training.evaluation.image_quality import nearest_neighbours
from training.evaluation.metrics import Interval
from training.evaluation.rejection import auroc

_CONTROL = 0.01  # share of held-out images that count as suspiciously near
_RESAMPLES = 999


class Memorisation(NamedTuple):
    """Synthetic images' distances to training images beside held-out real images' distances.

    `copies`: share of synthetic images nearer than the nearest 1 % of held-out ones; .01 expected.
    `ratio`: their median distance over that of held-out ones; 1 expected, less for copies.
    `nearer`: chance that a synthetic image is nearer than a held-out one; .5 expected.
    """

    copies: Interval
    ratio: Interval
    nearer: Interval


def distances(
    images: Float[np.ndarray, "n d"], training: Float[np.ndarray, "m d"]
) -> Float[np.ndarray, " n"]:
    """Return the distance of each image to the nearest training image.

    In pixels (flattened patches in HU, `training` in all its `nearest.symmetries`) or in features
    (`quality.space`); in the unit of either.
    """
    return nearest_neighbours.distances(images, training)[:, 0]


def measure(
    synthetic: Float[np.ndarray, " n"], held_out: Float[np.ndarray, " m"], *, seed: int
) -> Memorisation:
    """Compare `distances` of synthetic images with those of held-out lesions, one image each.

    Held-out distances as the yardstick, and `nearer`, follow Meehan et al. (2020). Intervals are 95
    % ones: of `copies` and `ratio` from the percentiles of a bootstrap of both sets, of `nearer` as
    `auroc`'s. Of fewer than 100 held-out lesions the first percentile is little more than the
    minimum. Raise `ValueError` for fewer than two images.
    """
    return Memorisation(
        copies=_bootstrap(_copies, synthetic, held_out, seed=seed),
        ratio=_bootstrap(_ratio, synthetic, held_out, seed=seed),
        nearer=auroc(synthetic, held_out),
    )


def _copies(synthetic: np.ndarray, held_out: np.ndarray, *, axis: int) -> np.ndarray | np.floating:
    threshold = np.quantile(held_out, _CONTROL, axis=axis, keepdims=True)
    return (synthetic < threshold).mean(axis=axis)


def _ratio(synthetic: np.ndarray, held_out: np.ndarray, *, axis: int) -> np.ndarray | np.floating:
    return np.median(synthetic, axis=axis) / np.median(held_out, axis=axis)


def _bootstrap(
    statistic: Callable[..., np.ndarray | np.floating], *samples: Float[np.ndarray, " _"], seed: int
) -> Interval:
    bounds = bootstrap(
        samples,
        statistic,
        n_resamples=_RESAMPLES,
        batch=50,  # resamples held in memory at once
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(statistic(*samples, axis=-1)), float(bounds.low), float(bounds.high))
