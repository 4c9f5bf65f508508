"""The primary claim, with the cohort as the unit.

Each cohort of 182 phantom lesions trains every arm with equal updates, and all arms are judged on
the same fresh lesions. One cohort gives one difference; nothing within a cohort is independent.
Between cohorts all is, given those lesions: intervals are of the mean over cohorts, on just them.
"""

import numpy as np
from jaxtyping import Float

from training.metrics import Interval
from training.statistics.student import TTest, critical, t_test

#: The goal beyond the paper: an arm that closes at least this share of the headroom.
GOAL = 0.5


def gain(arm: Float[np.ndarray, " cohorts"], reference: Float[np.ndarray, " cohorts"]) -> TTest:
    """Return the mean paired difference of two arms' accuracies, its t interval and p.

    Raise `ValueError` for fewer than two cohorts.
    """
    _check(arm)
    difference = arm - reference
    standard_error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    return t_test(float(difference.mean()), standard_error, degrees=len(difference) - 1)


def headroom_closed(
    arm: Float[np.ndarray, " cohorts"],
    reference: Float[np.ndarray, " cohorts"],
    ceiling: Float[np.ndarray, " cohorts"],
) -> Interval | None:
    """Return (arm - reference) / (ceiling - reference), of the means, with its 95 % interval.

    Fieller's (1954), not a bootstrap: it is exact for normal means, so it holds at 20 cohorts; it
    lies above 0 just where the interval of the gain does, so the two never contradict each other;
    and it is bounded just where the interval of the headroom excludes 0. Where that interval does
    not lie above 0 there is nothing to close: None. Raise `ValueError` for fewer than two cohorts.
    """
    _check(arm)
    parts = np.stack([arm - reference, ceiling - reference])
    over, under = parts.mean(axis=1)
    # Fieller: the shares s for which a t test cannot tell the mean of gain - s x headroom from 0.
    slack = critical(len(arm) - 1) ** 2 * np.cov(parts) / len(arm)
    square, cross, rest = under**2 - slack[1, 1], over * under - slack[0, 1], over**2 - slack[0, 0]
    if under <= 0 or square <= 0:
        return None
    half = np.sqrt(max(0.0, cross**2 - square * rest))
    return Interval(
        float(over / under), float((cross - half) / square), float((cross + half) / square)
    )


def reaches_goal(found: TTest, closed: Interval | None) -> bool:
    """Say whether an arm surely gains, and by its point estimate closes half of the headroom."""
    return found.difference.low > 0 and closed is not None and closed.value >= GOAL


def _check(arm: Float[np.ndarray, " cohorts"]) -> None:
    if len(arm) < 2:
        raise ValueError(f"found {len(arm)} cohorts, expected at least 2")
