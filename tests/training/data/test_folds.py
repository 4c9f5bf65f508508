import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesion.errors import CohortError
from training.data.folds import FOLDS, assign

NAMES = ("cyst", "metastasis", "hemangioma")


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_keeps_patients_apart_and_classes_balanced(seed):
    rng = np.random.default_rng(seed)
    classes = np.repeat([0, 1, 2], [53, 64, 65])
    patients = [f"p{rng.integers(130)}" for _ in classes]
    fold = assign(classes, patients, seed=seed, names=NAMES)
    assert set(fold) == set(range(FOLDS))
    assert all(
        len({f for f, q in zip(fold, patients, strict=True) if q == p}) == 1 for p in patients
    )
    counts = np.array([np.bincount(classes[fold == f], minlength=3) for f in range(FOLDS)])
    assert np.ptp(counts, axis=0).max() <= 8


@pytest.mark.parametrize("hemangioma_patients", [[], ["a", "b"], ["a", "b", "b", "b"]])
def test_refuses_a_class_of_too_few_patients(hemangioma_patients):
    """Without it a fold's networks would be trained on two classes, and fail late."""
    classes = np.array([0, 0, 0, 1, 1, 1] + [2] * len(hemangioma_patients))
    found = len(set(hemangioma_patients))
    with pytest.raises(CohortError, match=f"hemangioma: found {found} patients, expected at least"):
        assign(classes, [*"abcabc", *hemangioma_patients], seed=0, names=NAMES)
