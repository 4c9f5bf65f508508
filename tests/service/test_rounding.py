"""Shares are rounded so that they still sum to their whole, and keep their order."""

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rounding import rounded_shares


@pytest.mark.parametrize(
    ("shares", "decimals", "expected"),
    [
        ((1 / 3, 1 / 3, 1 / 3), 4, (0.3334, 0.3333, 0.3333)),
        ((0.00691119, 0.43737656, 0.55571225), 4, (0.0069, 0.4374, 0.5557)),
        ((0.99595, 0.00405, 0.0), 3, (0.996, 0.004, 0.0)),
        ((1.0, 0.0, 0.0), 4, (1.0, 0.0, 0.0)),
        ((0.9956, 0.0022, 0.0022), 3, (0.996, 0.002, 0.002)),
        ((0.9952, 0.0024, 0.0024), 3, (0.995, 0.003, 0.002)),
        ((40.05, 59.95), 1, (40.1, 59.9)),
    ],
)
def test_shares(shares, decimals, expected):
    told = rounded_shares(dict(enumerate(shares)), decimals)
    assert tuple(told.values()) == pytest.approx(expected, abs=1e-12)


@given(
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=9).filter(sum),
    decimals=st.integers(1, 4),
)
def test_they_sum_to_one_and_keep_their_order(weights, decimals):
    shares = dict(enumerate(weight / sum(weights) for weight in weights))
    told = rounded_shares(shares, decimals)
    assert fsum(told.values()) == pytest.approx(1, abs=1e-12)
    for name, share in shares.items():
        assert abs(told[name] - share) < 10**-decimals + 1e-12
        assert round(told[name], decimals) == told[name]
        assert all(told[name] >= told[other] for other in shares if share > shares[other])
