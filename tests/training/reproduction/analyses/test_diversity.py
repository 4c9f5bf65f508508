"""Diversity within a class: what is added to it, beside as many new cases."""

from dataclasses import replace

import numpy as np
import pytest

from training.phantom.classes import CLASSES
from training.pipeline.origin import Origin
from training.presets import SMOKE_GRID
from training.reproduction import independent_test_set
from training.reproduction.analyses import diversity, feature_extractor
from training.reproduction.predictions import Labels
from training.reproduction.tasks.cohort import Phantom, phantom

#: Classes of the smoke preset's lesions: its cohort, its fresh ones (11, 12 and 13).
COHORT = np.repeat(np.arange(3), 9)
FRESH = np.repeat(np.arange(3), (11, 12, 13))
VARIANCE, COVERAGE = "feature variance, synthetic - new cases", "coverage, synthetic - new cases"


@pytest.fixture
def setup(store, setup_of):
    known = setup_of(Labels(COHORT, np.arange(27).astype(str)))
    setup = replace(known, cohorts={SMOKE_GRID.cohorts.seed: (24, 8)})
    (part,) = independent_test_set.classes(setup.grid)
    store.save(part, {"classes": FRESH, "patient_ids": np.arange(36) // 2}, Origin(seconds=0.0))
    return setup


@pytest.fixture
def outputs(store, setup):
    """Let the extractor say of synthetic and new lesions what `draw(rng, classes)` gives."""

    def say(*, synthetic, new):
        rng = np.random.default_rng(0)
        kinds, _ = diversity._new_cases(setup)
        cases = new(rng, np.repeat(kinds, 5)).reshape(9, 5, -1)
        every = {
            "features_cohort": features(rng, COHORT + 3),  # near to no fresh lesion
            "features_fresh-0": features(rng, FRESH),
            "features_new": cases[:, 0],
            "features_new_variants": cases[:, 1:],
        }
        for split in setup.protocol.splits:
            for label, name in enumerate(CLASSES):
                images = synthetic(rng, np.full(16, label))
                every[f"features_{split.fold}_dcgan-{name}"] = images
        store.save(feature_extractor.task(setup), every, Origin(seconds=0.0))

    return say


def features(rng, classes, *, spread=0.5):
    """Classes far apart, and a spread within them."""
    return 5 * np.eye(12)[classes] + rng.normal(0, spread, (len(classes), 12))


def narrow(rng, classes):
    return features(rng, classes, spread=0.01)


def of_one_class(rng, classes):
    return features(rng, np.zeros_like(classes))


def test_it_knows_which_class_and_patient_each_new_case_is_of(store, setup, compute):
    setup = replace(setup, new=phantom(Phantom(10, (1, 1, 1)), "new cases"))
    compute([setup.new])
    drawn = store.load(setup.new)
    classes, patients = diversity._new_cases(setup)
    assert list(classes) == list(drawn["classes"]) == [0, 2, 1]
    assert list(patients) == [0, 1, 1]
    assert list(drawn["patient_ids"]) == ["P001", "P002", "P002"]


def test_classes_far_apart_are_no_diversity(store, setup, outputs):
    """Synthetic lesions as far apart as the classes are, and hardly any two of a class."""
    outputs(synthetic=narrow, new=of_one_class)
    gain = diversity.evidence(store, setup)[VARIANCE]
    assert gain.high < 0
    found = diversity.results(store, setup)
    assert gain.value == pytest.approx(found["variance_synthetic"] - found["variance_new"])


def test_a_class_is_covered_by_lesions_of_its_own_alone(store, setup, outputs):
    """New cases that look as another class leave theirs uncovered, whoever covers that one."""
    outputs(synthetic=features, new=of_one_class)
    found = diversity.results(store, setup)
    assert found["coverage_synthetic"][0] > 0.9
    gain = diversity.evidence(store, setup)[COVERAGE]
    assert gain.low > 0
    assert gain.value == pytest.approx(found["coverage_synthetic"][0] - found["coverage_new"][0])


def test_the_same_kind_of_lesions_gains_nothing(store, setup, outputs):
    outputs(synthetic=features, new=features)
    gain = diversity.evidence(store, setup)[VARIANCE]
    assert gain.low < 0 < gain.high
