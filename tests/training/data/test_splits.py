import numpy as np
import pytest

from training.data.folds import FOLDS
from training.data.splits import Split, split_lesions

CLASSES = np.repeat([0, 1, 2], 30)
NAMES = ("cyst", "metastasis", "hemangioma")
PATIENTS = np.array([f"p{index // 2}" for index in range(90)])


@pytest.mark.parametrize("fold", range(FOLDS))
@pytest.mark.parametrize("inner", [None, 0, 2])
def test_patients_are_apart_and_every_class_is_on_both_sides(fold, inner):
    chosen, held_out = split_lesions(Split(1, fold, inner), CLASSES, PATIENTS, names=NAMES)
    assert not set(PATIENTS[chosen]) & set(PATIENTS[held_out])
    assert set(CLASSES[chosen]) == set(CLASSES[held_out]) == {0, 1, 2}


def test_inner_folds_part_what_the_outer_fold_leaves_and_never_touch_it():
    trained, tested = split_lesions(Split(1, 0), CLASSES, PATIENTS, names=NAMES)
    inner = [
        split_lesions(Split(1, 0, index), CLASSES, PATIENTS, names=NAMES) for index in range(FOLDS)
    ]
    assert np.array_equal(np.sum([held for _, held in inner], axis=0), trained)
    for chosen, held_out in inner:
        assert np.array_equal(chosen | held_out, trained)
        assert not (chosen & held_out).any()
        assert not ((chosen | held_out) & tested).any()


def test_without_a_fold_nothing_is_held_out():
    chosen, held_out = split_lesions(Split(1), CLASSES, PATIENTS, names=NAMES)
    assert chosen.all()
    assert not held_out.any()


def test_another_seed_parts_differently():
    assert not np.array_equal(
        split_lesions(Split(1, 0), CLASSES, PATIENTS, names=NAMES)[1],
        split_lesions(Split(2, 0), CLASSES, PATIENTS, names=NAMES)[1],
    )
