import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from training.evaluation import multi_cohort
from training.evaluation.metrics import Interval


def draw(*, gain, headroom, sd=0.03, number=20, seed=0):
    """Accuracies of arm, reference and ceiling over cohorts."""
    rng = np.random.default_rng(seed)
    reference = rng.normal(0.78, 0.03, number)
    arm, ceiling = (reference + rng.normal(by, sd, number) for by in (gain, headroom))
    return arm, reference, ceiling


def test_the_gain_is_the_paired_t_test():
    arm, reference, _ = draw(gain=0.02, headroom=0.06)
    oracle = stats.ttest_rel(arm, reference)
    found = multi_cohort.gain(arm, reference)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.difference[1:] == pytest.approx(tuple(oracle.confidence_interval()))


def answer(rng, *, gain, cohort=0.0, patient=0.0, cohorts=8, patients=150):
    """What an arm and its reference got right, and the patients of the lesions, one to three each.

    Cohorts and patients differ in how hard they are, and by `cohort` and `patient` in the gain.
    """
    of = np.repeat(np.arange(patients), rng.integers(1, 4, patients))
    easy = rng.normal(1.2, 0.3, (cohorts, 1)) + rng.normal(0, 1, patients)[of]
    easy += rng.normal(0, 0.5, len(of))
    gains = gain + rng.normal(0, cohort, (cohorts, 1)) + rng.normal(0, patient, patients)[of]
    arm, reference = rng.random((2, *easy.shape)) < expit(np.stack([easy + gains, easy]))
    return arm, reference, of


@pytest.mark.parametrize(
    ("by", "alone"),
    [
        ({"cohort": 0.4}, 0.95),
        ({"cohort": 0.1, "patient": 0.5}, 0.92),
        ({"patient": 1.0}, 0.83),
        ({"patient": 1.0, "cohorts": 20}, 0.67),
        ({"cohort": 0.1, "patient": 0.5, "cohorts": 4}, 0.94),
    ],
)
def test_nineteen_of_twenty_crossed_intervals_hold_the_gain(by, alone):
    """Or more of them, over other cohorts and lesions; those over cohorts alone hold it less often.

    The more, the less cohorts differ; and no less where they happen to agree.
    """
    rng, found, spread = np.random.default_rng(0), [], []
    for _ in range(600):
        arm, reference, of = answer(rng, gain=0.2, **by)
        crossed = multi_cohort.crossed_gain(arm, reference, of).difference
        found.append(
            (crossed, multi_cohort.gain(arm.mean(axis=1), reference.mean(axis=1)).difference)
        )
        spread.append((arm.mean(axis=1) - reference.mean(axis=1)).std())
    value, low, high = np.moveaxis(found, 2, 0)
    truth = value.mean()  # of so many experiments
    held = (low <= truth) & (truth <= high)
    assert held[:, 0].mean() >= 0.93
    if by.get("cohort", 0) > 0.1:  # else the noise of single answers is more than they differ by
        assert held[:, 0].mean() <= 0.97
        return
    assert held[:, 1].mean() == pytest.approx(alone, abs=0.02)
    agreed = np.array(spread) <= np.quantile(spread, 0.2)
    assert held[agreed, 0].mean() >= 0.92


def test_the_crossed_variance_is_that_of_the_analysis_of_variance():
    """(MS cohorts + MS lesions - MS rest) / (cohorts x lesions), where no patient has two."""
    arm, reference, _ = answer(np.random.default_rng(3), gain=1.0, patient=3.0, patients=40)
    arm, reference = arm[:, :40], reference[:, :40]
    rows, columns = np.indices(arm.shape)
    table = {"gained": (arm * 1.0 - reference).ravel(), "r": rows.ravel(), "c": columns.ravel()}
    square = anova_lm(ols("gained ~ C(r) + C(c)", pd.DataFrame(table)).fit())["mean_sq"]
    found = multi_cohort.crossed_gain(arm, reference, np.arange(40))
    variance = (square["C(r)"] + square["C(c)"] - square["Residual"]) / arm.size
    assert square["C(c)"] > square["Residual"]
    error = abs(found.difference.value) / np.sqrt(variance)
    assert found.difference.value == pytest.approx(arm.mean() - reference.mean())
    # Between the normal's p and that of the fewest degrees of freedom.
    assert 2 * stats.norm.sf(error) < found.p < 2 * stats.t.sf(error, 7)


def test_lesions_on_which_all_cohorts_gain_alike_add_nothing_to_the_t_interval():
    arm = np.array([[1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]], dtype=bool)
    none = np.zeros_like(arm)
    found = multi_cohort.crossed_gain(arm, none, np.arange(4))
    assert found.difference == pytest.approx(
        multi_cohort.gain(arm.mean(axis=1), none.mean(axis=1))[0]
    )


def test_copies_of_a_patients_lesions_say_nothing_more():
    arm, reference, of = answer(np.random.default_rng(4), gain=0.5, patient=1.0)
    once = multi_cohort.crossed_gain(arm, reference, of)
    arm, reference, of = (np.repeat(one, 3, axis=-1) for one in (arm, reference, of))
    again = multi_cohort.crossed_gain(arm, reference, of)
    assert again.difference == pytest.approx(once.difference)
    apart = multi_cohort.crossed_gain(arm, reference, np.arange(len(of)))
    assert apart.difference.high < again.difference.high


@given(
    gain=st.floats(-0.03, 0.08),
    headroom=st.floats(0.03, 0.1),
    number=st.integers(3, 30),
    seed=st.integers(0, 999),
)
def test_the_share_holds_just_what_a_t_test_cannot_exclude(gain, headroom, number, seed):
    """Fieller's definition: at a bound s, gain - s x headroom has p = .05."""
    arm, reference, ceiling = draw(gain=gain, headroom=headroom, number=number, seed=seed)
    share = multi_cohort.headroom_closed(arm, reference, ceiling)
    assert (share is None) == (multi_cohort.gain(ceiling, reference).difference.low <= 0)
    if share is not None:
        for bound in share[1:]:
            rest = (arm - reference) - bound * (ceiling - reference)
            assert stats.ttest_1samp(rest, 0).pvalue == pytest.approx(0.05, rel=1e-4)
        assert share.low <= share.value <= share.high
        assert (share.low > 0) == (multi_cohort.gain(arm, reference).difference.low > 0)


def test_nineteen_of_twenty_shares_hold_the_truth():
    held = [
        share.low <= 0.5 <= share.high
        for seed in range(1000)
        if (share := multi_cohort.headroom_closed(*draw(gain=0.03, headroom=0.06, seed=seed)))
    ]
    assert len(held) > 990
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("headroom", [0.0, -0.06])
def test_without_headroom_no_share_of_it_is_closed(headroom):
    assert multi_cohort.headroom_closed(*draw(gain=0.03, headroom=headroom)) is None


def test_arms_that_never_differ():
    same = np.linspace(0.7, 0.8, 5)
    assert multi_cohort.gain(same, same) == ((0, 0, 0), 1)
    right = np.eye(5, 9, dtype=bool)
    assert multi_cohort.crossed_gain(right, right, np.arange(9)) == ((0, 0, 0), 1)
    assert multi_cohort.headroom_closed(same, same, same) is None
    assert multi_cohort.headroom_closed(same, same, same + 0.125) == pytest.approx((0, 0, 0))


@pytest.mark.parametrize(
    ("gain", "headroom", "reached"),
    [(0.04, 0.06, True), (0.02, 0.06, False), (0.0, 0.06, False), (0.04, 0.0, False)],
)
def test_the_goal_is_a_sure_gain_of_half_the_headroom(gain, headroom, reached):
    arm, reference, ceiling = draw(gain=gain, headroom=headroom, sd=0.01)
    closed = multi_cohort.headroom_closed(arm, reference, ceiling)
    assert multi_cohort.reaches_goal(multi_cohort.gain(arm, reference), closed) == reached


def test_an_unsure_gain_misses_the_goal_however_large():
    arm, reference, _ = draw(gain=0.05, headroom=0.06, sd=0.03, number=3, seed=1)
    found = multi_cohort.gain(arm, reference)
    assert found.difference.low < 0
    assert not multi_cohort.reaches_goal(found, Interval(0.8, 0.1, 2.0))


def test_one_cohort_is_refused():
    one = np.array([0.8])
    with pytest.raises(ValueError, match="found 1 cohorts"):
        multi_cohort.gain(one, one)
    with pytest.raises(ValueError, match="found 1 cohorts"):
        multi_cohort.headroom_closed(one, one, one)
    with pytest.raises(ValueError, match="found 1 cohorts"):
        multi_cohort.crossed_gain(np.ones((1, 9), bool), np.ones((1, 9), bool), np.arange(9))


def test_one_patient_is_refused():
    right = np.ones((3, 9), dtype=bool)
    with pytest.raises(ValueError, match="found 1 patients"):
        multi_cohort.crossed_gain(right, right, np.zeros(9, dtype=int))
