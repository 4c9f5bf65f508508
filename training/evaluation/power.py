"""How much would have to be run to see a gain of a given size, 80 % of the time, at p < .05."""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from scipy.stats import binom
from statsmodels.stats.power import TTestPower

POWER = 0.80
_ALPHA = 0.05
_MOST = 100_000


def mcnemar_power(lesions: int, *, gain: float, discordant: float) -> float:
    """Return the chance that one paired run shows the gain, by McNemar's exact test.

    `gain` is the true difference of the accuracies; `discordant` the share of lesions that just one
    of the two gets right. Raise `ValueError` unless |gain| <= discordant <= 1.
    """
    if not abs(gain) <= discordant <= 1 or discordant == 0:
        raise ValueError(f"found a gain of {gain} with {discordant} discordant")
    changed = np.arange(lesions + 1)
    gained = (discordant + gain) / (2 * discordant)  # share of the changed ones
    # No power of two is 1 / 40, so the tail below the quantile is the largest under 2.5 %.
    tail = binom.ppf(_ALPHA / 2, changed, 0.5) - 1
    rejected = binom.cdf(tail, changed, gained) + binom.sf(changed - tail - 1, changed, gained)
    return float(binom.pmf(changed, lesions, discordant) @ rejected)


def lesions_needed(gain: float, *, discordant: float, power: float = POWER) -> int:
    """Return the fewest lesions of one paired run that show the gain with this power.

    An exact test's power rises in small steps back and forth; this is the step that is met first by
    halving.
    """
    return _fewest(lambda n: mcnemar_power(n, gain=gain, discordant=discordant), power)


def repeats_needed(gain: float, *, sd: float, power: float = POWER) -> int:
    """Return the fewest paired differences (cohorts or repeats) that show the gain by a t test.

    `sd` is that of one paired difference. Repeats on the same lesions show a gain on just these;
    only cohorts show it at large.
    """
    return _fewest(lambda n: _t_power(n, gain / sd), power)


def detectable(repeats: int, *, sd: float, power: float = POWER) -> float:
    """Return the smallest gain that so many paired differences show with this power."""
    return sd * float(TTestPower().solve_power(nobs=repeats, alpha=_ALPHA, power=power))


def _t_power(repeats: int, effect: float) -> float:
    return float(TTestPower().power(effect, repeats, _ALPHA))


def _fewest(power_of: Callable[[int], float], power: float) -> int:
    enough = 2
    while power_of(enough) < power:
        enough *= 2
        if enough > _MOST:
            raise ValueError(f"found no number up to {_MOST} that is enough")
    return 2 + bisect_left(range(2, enough), power, key=power_of)
