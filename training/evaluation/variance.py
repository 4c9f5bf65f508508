"""How far runs that differ in their seed alone lie apart."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import chi2

from training.evaluation.metrics import Interval


class Spread(NamedTuple):
    """Mean, standard deviation (n - 1) with its 95 % interval, and range of several runs."""

    runs: int
    mean: float
    sd: Interval
    low: float
    high: float


def spread(values: Float[np.ndarray, " runs"]) -> Spread:
    """Describe one figure over runs.

    The sd's interval (chi-squared) takes the runs as normal; it is wide: three runs leave it open
    from half to six times. Raise `ValueError` for fewer than two runs.
    """
    runs = len(values)
    if runs < 2:
        raise ValueError(f"found {runs} runs, expected at least 2")
    sd = float(values.std(ddof=1))
    low, high = (sd * float(np.sqrt((runs - 1) / chi2.ppf(q, runs - 1))) for q in (0.975, 0.025))
    return Spread(
        runs,
        float(values.mean()),
        Interval(sd, low, high),
        float(values.min()),
        float(values.max()),
    )
