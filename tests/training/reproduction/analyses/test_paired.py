"""Repeats of the protocol: how far they lie apart, and what they say of two arms."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from training.data.splits import split_lesions
from training.phantom.classes import CLASSES
from training.presets import SMOKE_GRID
from training.reproduction.analyses import paired
from training.reproduction.predictions import Labels
from training.reproduction.protocol import ProtocolRun


def test_repeats_are_told_by_their_spread_and_by_the_corrected_t_test():
    rng = np.random.default_rng(0)
    right = {name: rng.random((4, 90)) < share for name, share in (("a", 0.8), ("b", 0.7))}
    folds = np.stack([rng.permutation(np.arange(90) % 3) for _ in range(4)])
    found = paired.repeated(right, [("a", "b")], folds)
    accuracies = [np.mean(row) for row in right["a"]]
    assert found["arms"]["a"]["mean"] == pytest.approx(np.mean(accuracies))
    assert found["arms"]["a"]["sd"].value == pytest.approx(np.std(accuracies, ddof=1))
    gains = [
        right["a"][r][folds[r] == k].mean() - right["b"][r][folds[r] == k].mean()
        for r in range(4)
        for k in range(3)
    ]
    # Nadeau and Bengio: 1 / 12 + n_test / n_train, which is 30 / 60.
    error = np.std(gains, ddof=1) * np.sqrt(1 / 12 + 30 / 60)
    expected = stats.t.interval(0.95, 11, np.mean(gains), error)
    assert found["pairs"]["a - b"]["difference"][1:] == pytest.approx(expected)
    assert found["arms"].keys() == {"a", "b"}


def test_each_repeat_has_its_own_folds(setup_of):
    truth = Labels(np.arange(27) % 3, np.array([f"P{lesion // 2:03d}" for lesion in range(27)]))
    setup = setup_of(truth)
    setup = replace(
        setup,
        repeats=tuple(ProtocolRun(SMOKE_GRID, setup.protocol.cohort, seed) for seed in (1, 2)),
    )
    folds = paired._folds(setup)
    for protocol, found in zip(setup.repeats, folds, strict=True):
        for split in protocol.splits:
            _, held_out = split_lesions(split, truth.classes, truth.patients, names=CLASSES)
            assert ((found == split.fold) == held_out).all()
    assert (folds[0] != folds[1]).any()
