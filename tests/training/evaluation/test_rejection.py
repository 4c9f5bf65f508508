import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm

from training.evaluation.metrics import wilson
from training.evaluation.rejection import auroc, false_positive_rate, risk_coverage

SCORES = arrays(np.float64, st.integers(1, 30), elements=st.integers(0, 9).map(float))


@given(inside=SCORES, outside=SCORES)
def test_auroc_counts_the_pairs(inside, outside):
    pairs = (outside[:, None] > inside).mean() + (outside[:, None] == inside).mean() / 2
    found = auroc(inside, outside)
    assert found.value == pytest.approx(pairs)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.high - found.low > 0.01


@pytest.mark.parametrize(("shift", "sizes"), [(0.7, (40, 40)), (2.2, (150, 30))])
def test_nineteen_of_twenty_intervals_hold_the_true_auroc(shift, sizes):
    rng = np.random.default_rng(10)
    truth = norm.cdf(shift / np.sqrt(2))
    found = [auroc(rng.normal(0, 1, sizes[0]), rng.normal(shift, 1, sizes[1])) for _ in range(500)]
    assert 0.925 <= np.mean([f.low <= truth <= f.high for f in found]) <= 0.985


def test_the_rate_is_that_of_foreign_lesions_let_in_where_19_of_20_known_ones_are():
    inside = np.arange(1, 101, dtype=float)
    outside = np.array([1, 94, 95, 95.5, 200])
    assert false_positive_rate(inside, outside) == wilson(3, 5)
    assert false_positive_rate(inside, outside, recall=0.94) == wilson(2, 5)


def test_unlike_scores_let_nothing_in_and_like_ones_95_percent():
    scores = np.random.default_rng(11).normal(size=20_000)
    assert false_positive_rate(scores, scores + 20).value == 0
    assert false_positive_rate(scores, -scores).value == pytest.approx(0.95, abs=0.01)


def test_empty_scores_are_refused():
    with pytest.raises(ValueError, match="found 3 inside and 0 outside"):
        auroc(np.zeros(3), np.zeros(0))


def test_the_risk_coverage_curve_by_hand():
    found = risk_coverage(np.array([0.6, 0.9, 0.8, 0.7]), np.array([False, True, False, True]))
    assert found.coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert found.risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    oracle = np.array([0, 0, 1 / 3, 1 / 2])
    assert found.area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert found.excess == pytest.approx(found.area - oracle.mean())


def test_a_perfect_order_leaves_no_excess_and_no_order_the_error_everywhere():
    correct = np.random.default_rng(12).random(1000) < 0.8
    assert risk_coverage(correct.astype(float), correct).excess == 0
    assert risk_coverage(np.zeros(1000), correct).risk == pytest.approx(
        np.full(1000, 1 - correct.mean())
    )


def test_lesions_of_one_confidence_count_as_over_all_their_orders():
    rng = np.random.default_rng(13)
    confidence, correct = rng.integers(0, 3, 30).astype(float), rng.random(30) < 0.6
    shuffled = np.mean(
        [risk_coverage(confidence + rng.random(30) / 2, correct).risk for _ in range(1000)], axis=0
    )
    assert risk_coverage(confidence, correct).risk == pytest.approx(shuffled, abs=0.05)


def test_no_lesions_are_refused():
    with pytest.raises(ValueError, match="found no lesions"):
        risk_coverage(np.zeros(0), np.zeros(0, bool))
