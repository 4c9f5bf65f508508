import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score, roc_curve

from training.evaluation.image_quality import membership_inference


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(membership_inference, "_RESAMPLES", 199)


def test_scores_are_minus_the_mean_distance_to_the_nearest():
    synthetic = np.array([[0.0], [1.0], [10.0]])
    lesions = np.array([[0.25], [9.0]])
    assert membership_inference.scores(lesions, synthetic).tolist() == pytest.approx([-0.25, -1])
    found = membership_inference.scores(lesions, synthetic, nearest=2)
    assert found.tolist() == pytest.approx([-0.5, -4.5])


def test_agrees_with_scikit_learns_curve():
    rng = np.random.default_rng(0)
    members, others = rng.normal(0.8, 1, 150), rng.normal(0, 1, 250)
    found = membership_inference.infer([members], [others], seed=0)
    truth, scores = np.repeat([1, 0], [150, 250]), np.concatenate([members, others])
    assert found.auc.value == pytest.approx(roc_auc_score(truth, scores))
    false, true, _ = roc_curve(truth, scores, drop_intermediate=False)
    assert found.found.value == pytest.approx(true[false <= 0.01].max())


def test_a_generator_that_keeps_its_secret():
    rng = np.random.default_rng(0)
    scores = [rng.normal(scale, scale, 100) for scale in (1, 10, 100, 1000)]
    others = [rng.normal(scale, scale, 100) for scale in (1, 10, 100, 1000)]
    found = membership_inference.infer(scores, others, seed=0)
    assert found.auc.low < 0.5 < found.auc.high
    assert found.found.value < 0.03


def test_pools_cohorts_of_different_scales():
    rng = np.random.default_rng(0)
    scales = rng.uniform(0.1, 100, 20)
    members = [s * rng.normal(3, 1, 50) - 7 * s for s in scales]
    others = [s * rng.normal(2, 1, 200) - 7 * s for s in scales]
    found = membership_inference.infer(members, others, seed=0)
    assert found.auc.value == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.03)
    assert found.found.value == pytest.approx(norm.sf(norm.ppf(0.99) - 1), abs=0.04)
    assert 0 < found.auc.high - found.auc.low < 0.08


def test_the_interval_of_many_cohorts_is_of_whole_cohorts():
    # Two generators leak, two keep all: lesions are many, what is known of generators is little.
    rng = np.random.default_rng(0)
    members = [rng.normal(shift, 1, 100) for shift in (0, 0, 4, 4)]
    others = [rng.normal(0, 1, 100) for _ in range(4)]
    found = membership_inference.infer(members, others, seed=0)
    assert found.auc.high - found.auc.low > 0.3
    assert found == membership_inference.infer(members, others, seed=0)


def test_few_lesions_allow_no_false_positive():
    members, others = np.array([1.0, 3.0, 4.0]), np.array([0.0, 2.0, 3.5])
    assert membership_inference.infer([members], [others], seed=0).found.value == pytest.approx(
        1 / 3
    )


def test_scores_that_are_all_the_same_tell_nothing():
    found = membership_inference.infer([np.ones(5)], [np.ones(5)], seed=0)
    assert found.auc.value == 0.5
    assert found.found.value == 0


@pytest.mark.parametrize("members", [[], [np.ones(3)]])
def test_refuses_unequal_or_no_cohorts(members):
    others = [np.ones(3)] * (2 * len(members))
    with pytest.raises(ValueError, match="cohorts of members"):
        membership_inference.infer(members, others, seed=0)
