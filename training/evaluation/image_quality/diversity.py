"""How varied the images are that a training set gains: synthetic ones, or a few more real cases.

The paper says that GAN samples bring "more diversity than using few more real images" (4.2.2), and
shows no figure. What they reach is `manifold.covered`; how far they spread is here. Measure one
class at a time: how far classes lie apart is no diversity. Noise raises variance as well as variety
does: read both.
"""

import numpy as np
from jaxtyping import Float, Int


def drawn_variances(
    features: Float[np.ndarray, "n d"],
    groups: Int[np.ndarray, " n"],
    times: Int[np.ndarray, "draws g"],
) -> Float[np.ndarray, " draws"]:
    """Return the total variance of each draw of whole groups, so many times each.

    The trace of the covariance matrix, the mean squared distance from the mean.
    `groups` are numbers from 0; images of a group belong together, as augmentations of a case or
    the cases of a patient do.
    """
    sums = np.zeros((times.shape[1], features.shape[1]))
    np.add.at(sums, groups, features)
    count = times @ np.bincount(groups, minlength=len(sums))
    square = times @ np.bincount(groups, (features**2).sum(axis=1), minlength=len(sums))
    mean = times @ sums / count[:, None]
    variances: np.ndarray = square / count - (mean**2).sum(axis=1)
    return variances
