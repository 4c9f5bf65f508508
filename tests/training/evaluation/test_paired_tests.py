import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from training.evaluation import paired_tests
from training.evaluation.bootstrap import bootstrap_gain


def changed(gained, lost, *, lesions=182):
    """Two runs that differ in just so many lesions."""
    correct, reference = np.ones((2, lesions), bool)
    reference[:gained] = False
    correct[gained : gained + lost] = False
    return correct, reference


@given(gained=st.integers(0, 60), lost=st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(gained, lost):
    found = paired_tests.mcnemar(*changed(gained, lost))
    assert found[:2] == (gained, lost)
    assert found.p == pytest.approx(mcnemar([[62, lost], [gained, 0]], exact=True).pvalue)


@pytest.mark.parametrize(("discordant", "p"), [(33, 0.035), (37, 0.047), (39, 0.053)])
def test_the_papers_thirteen_lesions_prove_something_only_if_few_others_changed(discordant, p):
    gained = (discordant + 13) // 2
    assert paired_tests.mcnemar(*changed(gained, discordant - gained)).p == pytest.approx(
        p, abs=5e-4
    )


def test_a_lesion_counts_with_its_mean_over_repeats():
    correct = np.array([[1, 1, 1, 0, 1], [1, 0, 1, 1, 1]], bool)
    reference = np.array([[0, 1, 0, 0, 0]], bool)
    patients = np.array(["a", "b", "b", "c", "d"])
    found = paired_tests.bootstrap_difference(correct, reference, patients, seed=1)
    assert found == bootstrap_gain(np.array([1, -0.5, 1, 0.5, 1]), patients, seed=1)


def test_lesions_that_share_a_patient_widen_the_interval():
    """Copies of a lesion add nothing: the interval stays that of the patients."""
    rng = np.random.default_rng(3)
    correct, reference = rng.random((2, 1, 100)) < [[[0.85]], [[0.75]]]
    alone = paired_tests.bootstrap_difference(correct, reference, np.arange(100), seed=1)
    copied = [np.repeat(a, 4, axis=1) for a in (correct, reference)]
    together = paired_tests.bootstrap_difference(*copied, np.repeat(np.arange(100), 4), seed=1)
    apart = paired_tests.bootstrap_difference(*copied, np.arange(400), seed=1)
    assert together == pytest.approx(alone)
    assert apart.high - apart.low == pytest.approx((alone.high - alone.low) / 2, rel=0.1)


@pytest.mark.parametrize("patients", [np.arange(182), np.arange(182) // 2])
@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (4, 0), (5, 0), (9, 2)])
def test_few_changed_lesions_are_no_certainty(gained, lost, patients):
    """Where McNemar's exact test sees nothing, the interval holds 0 and has a width."""
    correct, reference = changed(gained, lost)
    found = paired_tests.bootstrap_difference(correct[None], reference[None], patients, seed=1)
    assert paired_tests.mcnemar(correct, reference).p > 0.05
    assert found.value == pytest.approx((gained - lost) / 182)
    assert found.low <= 0 < found.high
    assert found.high - found.low > 0.03


@pytest.mark.parametrize(("gained", "lost"), [(8, 0), (14, 3), (30, 12)])
def test_many_changed_lesions_are_seen_as_by_mcnemar(gained, lost):
    correct, reference = changed(gained, lost)
    found = paired_tests.bootstrap_difference(
        correct[None], reference[None], np.arange(182), seed=1
    )
    assert paired_tests.mcnemar(correct, reference).p < 0.05
    assert found.low > 0


def test_nine_of_ten_and_more_intervals_hold_the_truth():
    rng = np.random.default_rng(5)
    held = 0
    for trial in range(300):
        easy = rng.random(80) < 0.6  # patients of two lesions, easy or hard alike
        chance = np.repeat(np.where(easy, 0.95, 0.4), 2)
        correct, reference = rng.random((2, 2, 160)) < np.stack([chance + 0.05, chance])[:, None]
        found = paired_tests.bootstrap_difference(
            correct, reference, np.arange(160) // 2, seed=trial, resamples=500
        )
        held += found.low <= 0.05 <= found.high
    assert 0.91 <= held / 300 <= 0.98


def test_corrected_t_by_the_formula():
    """10 x 3-fold: the variance is multiplied by 1/30 + 1/2, sixteen times the naive 1/30."""
    differences = np.random.default_rng(6).normal(0.05, 0.04, (10, 3))
    naive = differences.std(ddof=1) / np.sqrt(30)
    found = paired_tests.corrected_t(differences).difference
    half = 2.045 * naive * np.sqrt(16)  # t of 29 degrees of freedom
    assert found == pytest.approx(
        (differences.mean(), found.value - half, found.value + half), 1e-3
    )


def test_corrected_t_needs_folds():
    with pytest.raises(ValueError, match="found 1 folds"):
        paired_tests.corrected_t(np.zeros((5, 1)))


def test_holm_by_hand():
    found = paired_tests.holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])
