"""Student's t: a mean difference with its 95 % interval and its p, from a standard error."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import stats

from training.evaluation.metrics import Interval


class TTest(NamedTuple):
    """A mean difference with its 95 % interval, and the two-sided p of there being none."""

    difference: Interval
    p: float


def critical(degrees: float) -> float:
    """Return the half-width of a 95 % interval, in standard errors."""
    return float(stats.t.ppf(0.975, degrees))


def t_test(mean: float, standard_error: float, *, degrees: float) -> TTest:
    """Test a mean against 0.

    Without any spread the interval is a point, and p is 0, or 1 where the mean is 0 too.
    """
    half = critical(degrees) * standard_error
    if standard_error > 0:
        p = 2 * float(stats.t.sf(abs(mean) / standard_error, degrees))
    else:
        p = float(mean == 0)
    return TTest(Interval(mean, mean - half, mean + half), p)


def mean_test(differences: Float[np.ndarray, " n"]) -> TTest:
    """Test the mean of independent differences against 0, two or more."""
    standard_error = float(differences.std(ddof=1) / np.sqrt(len(differences)))
    return t_test(float(differences.mean()), standard_error, degrees=len(differences) - 1)
