"""Separation in feature space: who counts as a lesion's neighbour."""

import numpy as np
import pytest

from training.pipeline.origin import Origin
from training.reproduction.analyses import best_arms, separation
from training.reproduction.predictions import Labels

FOLDS, PATIENTS = 3, 40
#: Each fold judges 40 patients with two lesions of one class.
TRUTH = Labels(
    np.repeat(np.random.default_rng(0).integers(0, 3, FOLDS * PATIENTS), 2),
    np.repeat(np.arange(FOLDS * PATIENTS), 2),
)


@pytest.fixture
def measured(store, setup_of):
    """What is found where the networks' features of five images a lesion are [n, 5, k]."""
    setup = setup_of(TRUTH)

    def measure(features):
        for fold, rows in enumerate(np.split(np.arange(len(features)), FOLDS)):
            for arm in best_arms.ARMS:
                task = best_arms.task(setup, setup.protocol.splits[fold], arm)
                own, varied = features[rows, 0], features[rows, 1:]
                outputs = {"rows": rows, "features": own, "features_variants": varied}
                store.save(task, outputs, Origin(seconds=0.0))
        return separation.results(store, setup).values()

    return measure


def test_what_a_patients_lesions_share_separates_nothing(measured):
    """Features that know the scan and nothing of the class."""
    rng = np.random.default_rng(1)
    scans = rng.normal(size=(FOLDS * PATIENTS, 1, 8))[TRUTH.patients]
    for arm in measured(scans + rng.normal(0, 0.01, (len(scans), 5, 8))):
        assert arm["silhouette"][0] == pytest.approx(0, abs=0.1)
        assert arm["nearest"][1] < 1 / 3 < arm["nearest"][2]


def test_features_of_the_class_separate(measured):
    rng = np.random.default_rng(1)
    for arm in measured(3 * np.eye(3)[TRUTH.classes][:, None] + rng.normal(0, 0.5, (240, 5, 3))):
        assert arm["silhouette"][1] > 0.5
        assert arm["nearest"][1] > 0.95
