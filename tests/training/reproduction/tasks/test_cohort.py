"""The phantom drawn in memory is the phantom read from its DICOM files."""

import json

import numpy as np
import pytest

from lesion.errors import CohortError
from training.data.augment import Augmentation
from training.phantom.classes import LesionClass
from training.phantom.folder import write_cohort
from training.reproduction import independent_test_set
from training.reproduction.tasks.cohort import Phantom, import_folder, mixed, phantom

COUNTS = (2, 2, 2)
ONE = Augmentation(rotations=1, translations=1, scales=1)


def test_patches_in_memory_are_bit_for_bit_those_of_the_files(tmp_path, store, compute):
    write_cohort(tmp_path / "cohort", 3, dict(zip(LesionClass, COUNTS, strict=True)))
    read = import_folder(tmp_path / "cohort", store, augmentation=ONE, seed=3)
    drawn = phantom(Phantom(3, COUNTS, ONE), "drawn")
    compute([drawn])
    ours, theirs = store.load(drawn), store.load(read)
    for name in ("lesion_ids", "patient_ids", "classes", "originals", "variants"):
        assert np.array_equal(ours[name], theirs[name]), name


def test_labels_are_the_papers_whatever_the_order_of_a_cohorts_classes(tmp_path, store):
    write_cohort(tmp_path / "cohort", 3, dict(zip(LesionClass, COUNTS, strict=True)))
    path = tmp_path / "cohort" / "cohort.json"
    card = json.loads(path.read_text())
    usual = store.load(import_folder(tmp_path / "cohort", store, augmentation=ONE, seed=3))
    path.write_text(json.dumps(card | {"classes": card["classes"][::-1]}))
    turned = store.load(import_folder(tmp_path / "cohort", store, augmentation=ONE, seed=3))
    assert np.array_equal(turned["classes"], usual["classes"])


def test_a_cohort_of_other_classes_than_the_papers_is_refused(tmp_path, store):
    write_cohort(tmp_path / "cohort", 3, dict(zip(LesionClass, COUNTS, strict=True)))
    for name in ("cohort.json", "cohort.csv"):
        path = tmp_path / "cohort" / name
        path.write_text(path.read_text().replace("hemangioma", "adenoma"))
    with pytest.raises(CohortError, match="found cyst, metastasis, adenoma, expected the paper's"):
        import_folder(tmp_path / "cohort", store, augmentation=ONE, seed=3)


def test_parts_of_fresh_lesions_make_up_the_whole(store, compute, monkeypatch):
    monkeypatch.setattr(independent_test_set, "_PATIENTS_A_PART", 2)
    parts = independent_test_set.parts(9, 6)
    whole = phantom(Phantom(9, mixed(6)), "whole")
    compute([*parts, whole])
    assert len(parts) > 1
    together = np.concatenate([store.load(part)["originals"] for part in parts])
    assert np.array_equal(together, store.load(whole)["originals"])


@pytest.mark.parametrize("count", [24, 182, 1000, 10_000])
def test_fresh_lesions_come_in_the_papers_mix(count):
    dealt = mixed(count)
    assert sum(dealt) == count
    assert np.abs(np.array(dealt) - count * np.array([53, 64, 65]) / 182).max() < 1
