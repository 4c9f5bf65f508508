"""The kernel inception distance between two sets of images, without the inception network."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

_ROWS = 1024  # of the kernel matrix held at a time


class KernelDistance(NamedTuple):
    """A squared maximum mean discrepancy; below 0 by chance where the distributions agree."""

    value: float
    standard_error: float


def kid(
    real: Float[np.ndarray, "n d"],
    synthetic: Float[np.ndarray, "m d"],
    *,
    seed: int,
    halves: int = 100,
) -> KernelDistance:
    """Return KID: the unbiased MMD^2 with the kernel (x.y / d + 1)^3 (Binkowski et al. 2018).

    Rows are independent images (one per lesion) of mean square about 1 (`quality.space`), so that
    nothing overflows. The value uses all pairs: it is the mean that Binkowski et al. estimate over
    random subsets, of whatever size, taken over all subsets. Theirs is the spread over subsets too,
    but random subsets overlap, so the spread of their mean is not its standard error. Here it comes
    from random halves of both sets (the delete-half jackknife, Shao and Wu 1989): that of a half
    around the whole equals that of the whole around the truth. It errs to the large side where the
    distributions agree. Raise `ValueError` for fewer than 4 rows.
    """
    if min(len(real), len(synthetic)) < 4:
        raise ValueError(f"found {len(real)} and {len(synthetic)} rows, expected at least 4 each")
    rng = np.random.default_rng(seed)
    x, of_x = real.astype(np.float64), _whole_and_halves(len(real), halves, rng=rng)
    y, of_y = synthetic.astype(np.float64), _whole_and_halves(len(synthetic), halves, rng=rng)
    between = _pair_sums(x, y, of_x, of_y) / (of_x.sum(axis=0) * of_y.sum(axis=0))
    estimates = _mean_within(x, of_x) + _mean_within(y, of_y) - 2 * between
    return KernelDistance(float(estimates[0]), float(estimates[1:].std(ddof=1)))


def _whole_and_halves(n: int, halves: int, *, rng: np.random.Generator) -> Float[np.ndarray, "n s"]:
    """Mark in each column a subset's rows: all of them first, then random halves."""
    order = rng.permuted(np.tile(np.arange(n), (halves, 1)), axis=1).T
    return np.column_stack([np.ones(n), order < n // 2]).astype(np.float64)


def _mean_within(x: Float[np.ndarray, "n d"], marks: Float[np.ndarray, "n s"]) -> np.ndarray:
    """Return each subset's mean kernel over pairs of different rows: float64 [s]."""
    counts = marks.sum(axis=0)
    diagonal = ((x**2).mean(axis=1) + 1) ** 3
    return (_pair_sums(x, x, marks, marks) - diagonal @ marks) / (counts * (counts - 1))


def _pair_sums(
    x: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, "m d"],
    of_x: Float[np.ndarray, "n s"],
    of_y: Float[np.ndarray, "m s"],
) -> Float[np.ndarray, " s"]:
    """Sum the kernel over all pairs of a subset's rows, for all subsets at once."""
    total = np.zeros(of_x.shape[1])
    for start in range(0, len(x), _ROWS):
        block = slice(start, start + _ROWS)
        kernel = (x[block] @ y.T / x.shape[1] + 1) ** 3
        total += (of_x[block] * (kernel @ of_y)).sum(axis=0)
    return total
