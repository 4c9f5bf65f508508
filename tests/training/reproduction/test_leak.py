"""No network of the experiments is ever trained on a lesion that it is judged by."""

from dataclasses import replace

import numpy as np
import pytest

from training.data.datasets import to_unit
from training.data.splits import Split, split_patches
from training.data.training_sets import TrainingSet
from training.networks import classifier as cnn
from training.networks.generators import KINDS
from training.presets import SMOKE_GRID
from training.reproduction.analyses import nested_selection
from training.reproduction.baselines import METHODS
from training.reproduction.protocol import ProtocolRun, baseline_tasks, classifier, generators
from training.reproduction.tasks import baseline
from training.reproduction.tasks.cohort import from_arrays


@pytest.fixture
def seen(monkeypatch):
    """Every image that any training loop is given."""
    images = []

    def spied(train):
        def spy(data, *args, **more):
            images.append(data.images.cpu().numpy())
            return train(data, *args, **more)

        return spy

    monkeypatch.setattr(cnn, "train", spied(cnn.train))
    for name, kind in KINDS.items():
        monkeypatch.setitem(KINDS, name, replace(kind, train=spied(kind.train)))
    return images


@pytest.mark.parametrize("split", [Split(5, 1), Split(5, 1, 2)])
@pytest.mark.parametrize("kind", KINDS)
def test_no_pixel_of_a_held_out_patient_reaches_a_network(split, kind, seen, discs, store, compute):
    protocol = ProtocolRun(SMOKE_GRID, discs, 5)
    fed = generators(protocol, split, kind, classic=24)
    compute([classifier(protocol, split, TrainingSet(24, 4), more=fed)])

    patches = from_arrays(store.load(discs))
    chosen, held_out = split_patches(split, patches)
    trained_on = {image.tobytes() for images in seen for image in images}
    own = [
        {image.tobytes() for image in to_unit(np.concatenate([original[None], variants]))}
        for original, variants in zip(patches.originals, patches.variants, strict=True)
    ]
    met = np.array([bool(lesion & trained_on) for lesion in own])
    assert len(seen) == (4 if KINDS[kind].per_class else 2)
    assert np.array_equal(met, chosen)  # all of the one, and nothing of the other
    assert held_out.any()


def test_the_nested_choice_never_looks_at_its_test_fold(discs, store, compute):
    protocol = ProtocolRun(SMOKE_GRID, discs, 5)
    outer = protocol.splits[0]
    groups = nested_selection.classic(protocol, outer)
    compute(task for tasks in groups.values() for task in tasks)
    patches = from_arrays(store.load(discs))
    _, tested = split_patches(outer, patches)
    for tasks in groups.values():
        for task in tasks:
            assert not tested[store.load(task)["rows"]].any()


@pytest.mark.parametrize("method", METHODS)
def test_rivals_are_given_the_training_part_alone(method, discs, store, compute, monkeypatch):
    given = {}

    def spy(train_hu, train_classes, train_patients, test_hu, **_):
        given["train"] = {image.tobytes() for image in train_hu}
        given["patients"] = set(train_patients)
        return np.zeros((len(test_hu), 3))

    monkeypatch.setitem(baseline.METHODS, method, spy)
    task = baseline_tasks(ProtocolRun(SMOKE_GRID, discs, 5), method)[0]
    compute([task])
    patches = from_arrays(store.load(discs))
    rows = store.load(task)["rows"]
    held_out = {patches.originals[row].tobytes() for row in rows}
    assert not given["train"] & held_out
    assert not given["patients"] & {patches.patient_ids[row] for row in rows}
