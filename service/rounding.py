"""Numbers rounded for an answer or a report, to the decimals that mean something."""

from collections.abc import Mapping
from math import floor, fsum
from typing import TypeVar

K = TypeVar("K")

#: Of what is measured or computed, in a JSON answer.
DECIMALS = 4


def rounded_shares(shares: Mapping[K, float], decimals: int) -> dict[K, float]:
    """Round shares of a whole so that they still sum to it (the largest remainder method).

    Each is rounded down. The units of the last decimal that the sum then lacks go, one each, to
    the shares that lost most; among equals, to the first. So no share moves by a whole unit, and
    none overtakes another.
    """
    units = 10**decimals
    exact = {name: share * units for name, share in shares.items()}
    whole = {name: floor(value) for name, value in exact.items()}
    missing = round(fsum(exact.values())) - sum(whole.values())
    by_loss = sorted(exact, key=lambda name: whole[name] - exact[name])
    for name in by_loss[: max(missing, 0)]:
        whole[name] += 1
    return {name: value / units for name, value in whole.items()}
