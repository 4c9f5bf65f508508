import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from training.metrics import Interval
from training.statistics import cohorts


def draw(*, gain, headroom, sd=0.03, number=20, seed=0):
    """Accuracies of arm, reference and ceiling over cohorts."""
    rng = np.random.default_rng(seed)
    reference = rng.normal(0.78, 0.03, number)
    arm, ceiling = (reference + rng.normal(by, sd, number) for by in (gain, headroom))
    return arm, reference, ceiling


def test_the_gain_is_the_paired_t_test():
    arm, reference, _ = draw(gain=0.02, headroom=0.06)
    oracle = stats.ttest_rel(arm, reference)
    found = cohorts.gain(arm, reference)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.difference[1:] == pytest.approx(tuple(oracle.confidence_interval()))


@given(
    gain=st.floats(-0.03, 0.08),
    headroom=st.floats(0.03, 0.1),
    number=st.integers(3, 30),
    seed=st.integers(0, 999),
)
def test_the_share_holds_just_what_a_t_test_cannot_exclude(gain, headroom, number, seed):
    """Fieller's definition: at a bound s, gain - s x headroom has p = .05."""
    arm, reference, ceiling = draw(gain=gain, headroom=headroom, number=number, seed=seed)
    share = cohorts.headroom_closed(arm, reference, ceiling)
    assert (share is None) == (cohorts.gain(ceiling, reference).difference.low <= 0)
    if share is not None:
        for bound in share[1:]:
            rest = (arm - reference) - bound * (ceiling - reference)
            assert stats.ttest_1samp(rest, 0).pvalue == pytest.approx(0.05, rel=1e-4)
        assert share.low <= share.value <= share.high
        assert (share.low > 0) == (cohorts.gain(arm, reference).difference.low > 0)


def test_nineteen_of_twenty_shares_hold_the_truth():
    held = [
        share.low <= 0.5 <= share.high
        for seed in range(1000)
        if (share := cohorts.headroom_closed(*draw(gain=0.03, headroom=0.06, seed=seed)))
    ]
    assert len(held) > 990
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("headroom", [0.0, -0.06])
def test_without_headroom_no_share_of_it_is_closed(headroom):
    assert cohorts.headroom_closed(*draw(gain=0.03, headroom=headroom)) is None


def test_arms_that_never_differ():
    same = np.linspace(0.7, 0.8, 5)
    assert cohorts.gain(same, same) == ((0, 0, 0), 1)
    assert cohorts.headroom_closed(same, same, same) is None
    assert cohorts.headroom_closed(same, same, same + 0.125) == pytest.approx((0, 0, 0))


@pytest.mark.parametrize(
    ("gain", "headroom", "reached"),
    [(0.04, 0.06, True), (0.02, 0.06, False), (0.0, 0.06, False), (0.04, 0.0, False)],
)
def test_the_goal_is_a_sure_gain_of_half_the_headroom(gain, headroom, reached):
    arm, reference, ceiling = draw(gain=gain, headroom=headroom, sd=0.01)
    closed = cohorts.headroom_closed(arm, reference, ceiling)
    assert cohorts.reaches_goal(cohorts.gain(arm, reference), closed) == reached


def test_an_unsure_gain_misses_the_goal_however_large():
    arm, reference, _ = draw(gain=0.05, headroom=0.06, sd=0.03, number=3, seed=1)
    found = cohorts.gain(arm, reference)
    assert found.difference.low < 0
    assert not cohorts.reaches_goal(found, Interval(0.8, 0.1, 2.0))


def test_one_cohort_is_refused():
    one = np.array([0.8])
    with pytest.raises(ValueError, match="found 1 cohorts"):
        cohorts.gain(one, one)
    with pytest.raises(ValueError, match="found 1 cohorts"):
        cohorts.headroom_closed(one, one, one)
