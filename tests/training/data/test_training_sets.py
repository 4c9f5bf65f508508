import numpy as np
import pytest
import torch

from lesion.classes import CLASSES
from lesion.errors import RunError
from training.data.splits import Split, part
from training.data.training_sets import TrainingSet, assemble
from training.reproduction.tasks.cohort import as_patches

CPU = torch.device("cpu")


@pytest.fixture
def inputs(discs, store):
    rng = np.random.default_rng(0)
    images = {
        f"synthetic-{name}": {"images": rng.random((1, 40, 64, 64)).astype(np.float16)}
        for name in CLASSES
    }
    return {"cohort": store.load(discs), "new": store.load(discs), **images}


@pytest.fixture
def chosen(inputs):
    patches = as_patches(inputs["cohort"])
    return part(Split(1, 0), patches.classes, np.array(patches.patient_ids))[0]


def put_together(wanted, inputs, chosen):
    return assemble(wanted, inputs, chosen, scaling="window", device=CPU)


def test_groups_count_per_fold_and_twice_that_is_trained_on_with_two_folds(inputs, chosen):
    originals = int(chosen.sum())
    share = 3 * chosen.mean()
    assert len(put_together(TrainingSet(), inputs, chosen).labels) == originals
    classic = put_together(TrainingSet(classic_per_fold=40), inputs, chosen)
    each = round(40 * share / originals)
    assert len(classic.labels) == originals * (1 + each)
    fed = put_together(TrainingSet(0, synthetic_per_class=5), inputs, chosen)
    assert np.bincount(fed.labels[originals:]).tolist() == [round(5 * share)] * 3


def test_a_larger_group_contains_the_smaller(inputs, chosen):
    def images(wanted):
        return {image.numpy().tobytes() for image in put_together(wanted, inputs, chosen).images}

    assert images(TrainingSet(20)) < images(TrainingSet(40)) < images(TrainingSet(40, 5))
    assert images(TrainingSet(40, 5)) < images(TrainingSet(40, 9))
    assert images(TrainingSet(0, 0, 10)) < images(TrainingSet(0, 0, 20))


def test_new_cases_come_with_their_own_patches_first(inputs, chosen):
    added = put_together(TrainingSet(0, 0, 10, originals=False), inputs, chosen)
    own = as_patches(inputs["new"])
    first = added.images[added.labels == 0][: (own.classes == 0).sum()]
    assert len(first) == (own.classes == 0).sum()
    assert np.bincount(added.labels).tolist() == [round(10 * 3 * chosen.mean())] * 3


def test_synthetic_alone_has_no_real_image(inputs, chosen):
    alone = put_together(TrainingSet(0, 5, originals=False), inputs, chosen)
    every = np.concatenate([inputs[f"synthetic-{name}"]["images"][0] for name in CLASSES])
    drawn = {image.astype(np.float32).tobytes() for image in every}
    assert {image.numpy().tobytes() for image in alone.images} <= drawn


def test_too_few_synthetic_images_are_refused(inputs, chosen):
    with pytest.raises(RunError, match="found 40 synthetic images of a class, expected 200"):
        put_together(TrainingSet(0, 100), inputs, chosen)
