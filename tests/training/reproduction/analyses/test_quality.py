"""How fresh lesions are dealt out before synthetic ones are measured against them."""

import numpy as np

from training.phantom.classes import CLASSES
from training.reproduction.analyses.quality import halves


def test_no_patient_is_both_in_the_reference_and_beside_it():
    rng = np.random.default_rng(0)
    patients = np.sort(rng.integers(0, 40, 100))
    classes = rng.integers(0, 3, 100)
    patient_ids = np.array([f"P{p:03d}" for p in patients])
    rows = np.arange(100.0)[:, None]
    dealt = halves(rows, classes=classes, patient_ids=patient_ids)
    found = {
        half: np.concatenate([dealt[half][name][:, 0] for name in CLASSES]).astype(int)
        for half in ("reference", "fresh")
    }
    assert sorted(np.concatenate(list(found.values()))) == list(range(100))
    assert not set(patients[found["reference"]]) & set(patients[found["fresh"]])
    for label, name in enumerate(CLASSES):
        assert (classes[dealt["fresh"][name][:, 0].astype(int)] == label).all()
