import numpy as np
import pytest

from training.evaluation import calibration


def draw(n, *, seed, sharpness):
    """Lesions whose true class is drawn from the softmax of their logits, told too sharply."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 1.5, (n, 3))
    weights = np.exp(honest) / np.exp(honest).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(3, p=w) for w in weights])
    return (honest * sharpness).astype(np.float32), truth


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 4.0])
def test_temperature_undoes_over_and_under_confidence(sharpness):
    fitted = calibration.fit(*draw(4000, seed=1, sharpness=sharpness))
    assert fitted.temperature == pytest.approx(sharpness, rel=0.12)


def test_prediction_sets_cover_each_class_of_fresh_lesions():
    fitted = calibration.fit(*draw(3000, seed=2, sharpness=3.0))
    logits, truth = draw(9000, seed=3, sharpness=3.0)
    sets = fitted.sets(fitted.probabilities(logits))
    covered = sets[np.arange(len(truth)), truth]
    for k in range(3):
        assert covered[truth == k].mean() == pytest.approx(calibration.COVERAGE, abs=0.03)
    assert 1.0 < sets.sum(axis=1).mean() < 2.9


@pytest.mark.parametrize(("lesions", "rank"), [(9, 9), (10, 10), (18, 18), (19, 18), (99, 90)])
def test_the_quantile_is_the_smallest_that_promises_coverage(lesions, rank):
    """Of n + 1 exchangeable lesions the last is among the `rank` least surprising with 90 %."""
    share = np.linspace(0.05, 0.95, lesions)  # of the true class, no two alike
    logits = np.log(np.stack([share, (1 - share) / 2, (1 - share) / 2], axis=1))
    truth = np.zeros(lesions, int)
    fitted = calibration.fit(logits, truth)
    surprise = np.sort(1 - fitted.probabilities(logits)[:, 0])
    assert fitted.quantile[0] == surprise[rank - 1]
    assert rank / (lesions + 1) >= calibration.COVERAGE > (rank - 1) / (lesions + 1)


def test_too_few_lesions_promise_nothing():
    logits, truth = draw(12, seed=4, sharpness=1.0)
    assert (calibration.fit(logits, truth).quantile == 1).all()


def test_cross_fitting_never_calibrates_a_fold_on_itself():
    logits, truth = draw(300, seed=5, sharpness=2.0)
    fold = np.arange(300) % 3
    before, _ = calibration.cross_fitted(logits, truth, fold)
    spoiled = np.where(fold == 0, (truth + 1) % 3, truth)
    after, _ = calibration.cross_fitted(logits, spoiled, fold)
    assert np.array_equal(before[fold == 0], after[fold == 0])
    assert not np.array_equal(before[fold == 1], after[fold == 1])
