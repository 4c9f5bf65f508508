"""How near images come to others: what memorisation and membership inference both look at."""

import numpy as np
from jaxtyping import Float
from sklearn.neighbors import NearestNeighbors


def distances(
    queries: Float[np.ndarray, "n d"], references: Float[np.ndarray, "m d"], *, nearest: int = 1
) -> Float[np.ndarray, "n nearest"]:
    """Return each query's Euclidean distances to its nearest references, nearest first."""
    search = NearestNeighbors(n_neighbors=nearest, algorithm="brute").fit(references)
    found: np.ndarray = search.kneighbors(queries)[0]
    return found


def symmetries(images: Float[np.ndarray, "n 64 64"]) -> Float[np.ndarray, "8*n 64 64"]:
    """Return the images in the square's 8 flips and quarter turns, the upright ones first.

    As references, they find a copy that was turned over.
    """
    turned = [np.rot90(images, quarter, axes=(1, 2)) for quarter in range(4)]
    return np.concatenate([*turned, *(image[:, :, ::-1] for image in turned)])
