"""What holds of every baseline."""

import numpy as np
import pytest

from training.phantom.classes import CLASSES
from training.presets import SMOKE_GRID
from training.reproduction.baselines import METHODS


@pytest.fixture(params=sorted(METHODS))
def method(request):
    return METHODS[request.param]


@pytest.fixture
def split(cut):
    """Discs: the first four patients' lesions to train on, the rest to test."""
    late = np.array([int(name.rsplit("-", 1)[1]) >= 4 for name in cut.lesion_ids])
    patients = [p for p, is_late in zip(cut.patient_ids, late, strict=True) if not is_late]
    train = cut.originals[~late], cut.classes[~late], patients
    return train, cut.originals[late], cut.classes[late]


def test_tells_discs_apart(method, split):
    train, test, truth = split
    scores = method(*train, test, preset=SMOKE_GRID.baseline, seed=0)
    assert scores.shape == (len(test), len(CLASSES))
    assert (scores.argmax(axis=1) == truth).mean() > 0.7


def test_a_score_depends_on_no_other_test_lesion(method, split):
    train, test, _ = split
    changed = test.copy()
    changed[1:] = 250 - 3 * changed[1:]
    alone, among, among_others = (
        method(*train, hu, preset=SMOKE_GRID.baseline, seed=0)[0]
        for hu in (test[:1], test, changed)
    )
    np.testing.assert_allclose(alone, among, rtol=1e-6)
    np.testing.assert_allclose(among_others, among, rtol=1e-6)


def test_repeats_exactly(method, split):
    train, test, _ = split
    scores = [method(*train, test, preset=SMOKE_GRID.baseline, seed=5) for _ in range(2)]
    np.testing.assert_array_equal(*scores)
