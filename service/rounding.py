"""Figures as they are told: no more of them than mean something."""

from collections.abc import Mapping
from math import floor, fsum
from typing import TypeVar

K = TypeVar("K")


def rounded_shares(shares: Mapping[K, float], decimals: int) -> dict[K, float]:
    """Round shares of a whole to so many decimals, so that their sum is rounded too and no more.

    Each is rounded down, and what is missing of the sum goes, a last decimal each, to those that
    lost most (the largest remainders); of several, to the first. So none moves by as much as one
    last decimal, and none overtakes another.
    """
    units = 10**decimals
    exact = {name: share * units for name, share in shares.items()}
    whole = {name: floor(value) for name, value in exact.items()}
    missing = round(fsum(exact.values())) - sum(whole.values())
    by_loss = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in by_loss[: max(missing, 0)]:
        whole[name] += 1
    return {name: value / units for name, value in whole.items()}
