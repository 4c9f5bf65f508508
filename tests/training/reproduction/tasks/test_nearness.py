"""Copies are found whatever a generator could have copied them from."""

import numpy as np
import pytest

from training.data import datasets
from training.data.splits import Split, split_patches
from training.phantom.classes import CLASSES
from training.reproduction.tasks.cohort import from_arrays
from training.reproduction.tasks.nearness import NEARNESS, Nearness

WHOLE = Split(1)


@pytest.fixture
def lesions(discs, store):
    return store.load(discs)


def measure(lesions, images, fresh, *, turned=False):
    parts = np.array_split(images.astype(np.float16), len(CLASSES))
    inputs = {
        "cohort": lesions,
        "fresh": {"originals": fresh},
        **{f"synthetic-{c}": {"images": p[None]} for c, p in zip(CLASSES, parts, strict=True)},
    }
    if turned:
        inputs = dict(reversed(inputs.items()))
    return NEARNESS.compute(Nearness(WHOLE, 2 * len(lesions["classes"]), 300), inputs)


def test_a_copy_of_an_augmentation_is_near_and_fresh_lesions_are_not(lesions):
    rng = np.random.default_rng(0)
    fresh = rng.uniform(-100, 200, (6, 64, 64)).astype(np.float32)
    copied = datasets.to_unit(np.asarray(lesions["variants"][:5, 1]))
    found = measure(lesions, copied, fresh)
    assert found["synthetic"].max() < 0.1
    assert found["fresh"].min() > 1


def test_neither_the_order_nor_the_number_of_its_networks_changes_the_result(lesions):
    rng = np.random.default_rng(0)
    fresh = rng.uniform(-100, 200, (6, 64, 64)).astype(np.float32)
    images = rng.random((6, 64, 64)).astype(np.float16)
    found = measure(lesions, images, fresh)
    inputs = {
        "synthetic": {"images": images.reshape(len(CLASSES), 2, 64, 64)},
        "fresh": {"originals": fresh},
        "cohort": lesions,
    }
    of_one = NEARNESS.compute(Nearness(WHOLE, 2 * len(lesions["classes"]), 300), inputs)
    for other in (measure(lesions, images, fresh, turned=True), of_one):
        assert all(np.array_equal(found[name], other[name]) for name in found)


def test_a_member_is_told_by_a_copy_that_was_turned_over(lesions):
    patches = from_arrays(lesions)
    chosen, _ = split_patches(WHOLE, patches)
    own = datasets.to_unit(patches.originals[chosen])
    rng = np.random.default_rng(0)
    fresh = rng.uniform(-100, 200, (6, 64, 64)).astype(np.float32)
    found = measure(lesions, np.rot90(own, axes=(1, 2))[:, :, ::-1], fresh)
    assert found["members"].shape == (len(own),)
    assert found["members"].min() > -0.1
    assert found["others"].max() < -1
