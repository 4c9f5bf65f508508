import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from training.evaluation.image_quality import reader

REAL = np.arange(302) < 182  # the paper's 182 real lesions and 120 synthetic ones


def features(*, apart, seed=0):
    drawn = np.random.default_rng(seed).normal(size=(302, 6)) * [1, 1, 1, 1, 1, 1e4]
    drawn[:, 0] += apart * REAL
    return np.column_stack([drawn, np.zeros(302)])  # and a dead unit


def read(*, apart, seed=0):
    called = reader.answer(features(apart=apart, seed=seed), REAL, np.arange(302), seed=2**62)
    return reader.judge(called, REAL, np.arange(302), seed=0)


def test_sees_what_there_is_to_see():
    found = read(apart=3.0)
    assert 0.85 < found.balanced_accuracy.low < 0.93 < found.balanced_accuracy.high < 1
    assert found.accuracy.value > 0.9


def test_sees_nothing_where_there_is_nothing():
    found = [read(apart=0.0, seed=seed).balanced_accuracy.value for seed in range(5)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_always_real_is_right_on_the_papers_60_percent_and_tells_nothing():
    found = reader.judge(np.ones(302, dtype=bool), REAL, np.arange(302), seed=0)
    assert 100 * found.always_real == pytest.approx(60.3, abs=0.05)
    assert found.accuracy.value == found.always_real
    assert found.balanced_accuracy == (0.5, 0.5, 0.5)


def test_balanced_accuracy_is_scikit_learns_and_its_interval_the_closed_form():
    rng = np.random.default_rng(0)
    called = np.where(REAL, rng.random(302) < 0.8, rng.random(302) < 0.3)
    found = reader.judge(called, REAL, np.arange(302), seed=0).balanced_accuracy
    assert found.value == pytest.approx(balanced_accuracy_score(REAL, called))
    p, q = called[REAL].mean(), called[~REAL].mean()
    error = np.sqrt(p * (1 - p) / 182 + q * (1 - q) / 120) / 2
    assert found.low == pytest.approx(found.value - 1.96 * error, abs=0.008)
    assert found.high == pytest.approx(found.value + 1.96 * error, abs=0.008)


def test_copies_of_a_lesion_stay_together():
    # Lesions are known by heart, but nothing tells real from synthetic: only a leak would help.
    rng = np.random.default_rng(0)
    real, lesions = np.repeat(np.arange(60) < 30, 8), np.repeat(np.arange(60), 8)
    known = np.repeat(rng.normal(size=(60, 20)), 8, axis=0)
    apart = reader.answer(known, real, lesions, seed=0)
    leaking = reader.answer(known, real, np.arange(480), seed=0)
    assert balanced_accuracy_score(real, apart) < 0.65
    assert balanced_accuracy_score(real, leaking) > 0.95


def test_refuses_sides_that_do_not_reach_every_fold():
    with pytest.raises(ValueError, match="found 4 synthetic lesions, expected at least 5"):
        reader.answer(np.eye(10), np.arange(10) < 6, np.arange(10), seed=0)
