import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from lesion.errors import CohortError
from training.reproduction.baselines import svm
from training.settings import SvmSettings

PRESET = SvmSettings(inner_folds=3, costs=(0.1, 10.0))


def draw(n, *, seed=0, columns=6):
    """Three blobs, two lesions a patient."""
    rng = np.random.default_rng(seed)
    classes = np.arange(n) // 2 % 3
    features = rng.normal(0, 1, (n, columns))
    features[:, :3] += 2.5 * np.eye(3)[classes]
    return features * 10.0 ** np.arange(columns), classes, [f"p{i // 2}" for i in range(n)]


def test_tells_blobs_apart_whatever_the_units():
    test, truth, _ = draw(60, seed=1)
    scores = svm.fit_predict(*draw(60), test, preset=PRESET, seed=0)
    assert scores.shape == (60, 3)
    assert accuracy_score(truth, scores.argmax(axis=1)) > 0.8


def test_nothing_is_fitted_on_the_test_lesions():
    test = draw(12, seed=1)[0]
    elsewhere = np.concatenate([test[:4], 1e6 + test[4:]])
    scores = [svm.fit_predict(*draw(60), t, preset=PRESET, seed=0) for t in (test, elsewhere)]
    np.testing.assert_allclose(scores[0][:4], scores[1][:4], rtol=1e-12)


def test_inner_folds_keep_patients_apart():
    """Features name the patient and nothing else: only a leak could tell the class."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(30), 6)
    classes = rng.permutation(np.arange(30) % 3)[patients]
    features = rng.normal(0, 1, (30, 8))[patients] + rng.normal(0, 1e-3, (180, 8))
    names = [f"p{p}" for p in patients]
    preset = SvmSettings(inner_folds=3, costs=(1000.0,), kernels=("rbf",))
    search = svm.tuned(svm.machine(), features, classes, names, preset=preset, seed=0)
    assert search.score(features, classes) > 0.95
    assert search.best_score_ < 0.6


@pytest.mark.parametrize("patients", [[], ["a"], ["a", "a", "a"]])
def test_refuses_a_class_of_too_few_patients(patients):
    features, classes, names = draw(24)
    keep = classes != 2
    classes = np.concatenate([classes[keep], np.full(len(patients), 2)])
    names = [n for n, k in zip(names, keep, strict=True) if k] + patients
    found = len(set(patients))
    with pytest.raises(CohortError, match=f"hemangioma: found {found} training patients"):
        svm.fit_predict(features[: len(classes)], classes, names, features, preset=PRESET, seed=0)
