"""Student's t: a mean difference with its 95 % interval and its p, from a standard error."""

from typing import NamedTuple

from scipy import stats

from training.metrics import Interval


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
