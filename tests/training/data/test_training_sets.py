"""Training sets: what each is made of, and how much of it."""

import numpy as np
import pytest
import torch

from lesion.errors import RunError
from training.data.splits import Split, split_patches
from training.data.training_sets import Sources, TrainingSet, build

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def synthetic():
    """Images of each class [3, 40, 64, 64]."""
    return torch.rand((3, 40, 64, 64), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def sources(cut, synthetic):
    def take(label, count):
        if count > 40:
            raise RunError(f"found 40 synthetic images of a class, expected {count}")
        return synthetic[label, :count]

    return Sources(cut, take, cut)


@pytest.fixture
def chosen(cut):
    return split_patches(Split(1, 0), cut)[0]


def put_together(wanted, sources, chosen):
    return build(wanted, sources, chosen, device=CPU)


def test_groups_count_per_fold_and_twice_that_is_trained_on_with_two_folds(sources, chosen):
    originals = int(chosen.sum())
    share = 3 * chosen.mean()
    assert len(put_together(TrainingSet(), sources, chosen).labels) == originals
    classic = put_together(TrainingSet(classic_per_fold=40), sources, chosen)
    each = round(40 * share / originals)
    assert len(classic.labels) == originals * (1 + each)
    fed = put_together(TrainingSet(0, synthetic_per_class=5), sources, chosen)
    assert np.bincount(fed.labels[originals:]).tolist() == [round(5 * share)] * 3


def test_a_larger_group_contains_the_smaller(sources, chosen):
    def images(wanted):
        return {image.numpy().tobytes() for image in put_together(wanted, sources, chosen).images}

    assert images(TrainingSet(20)) < images(TrainingSet(40)) < images(TrainingSet(40, 5))
    assert images(TrainingSet(40, 5)) < images(TrainingSet(40, 9))
    assert images(TrainingSet(0, 0, 10)) < images(TrainingSet(0, 0, 20))


def test_new_cases_come_with_their_own_patches_first(sources, chosen):
    added = put_together(TrainingSet(0, 0, 10, originals=False), sources, chosen)
    own = sources.new.classes == 0
    first = added.images[added.labels == 0][: own.sum()]
    assert len(first) == own.sum()
    assert np.bincount(added.labels).tolist() == [round(10 * 3 * chosen.mean())] * 3


def test_synthetic_alone_has_no_real_image(sources, synthetic, chosen):
    alone = put_together(TrainingSet(0, 5, originals=False), sources, chosen)
    drawn = {image.numpy().tobytes() for of_class in synthetic for image in of_class}
    assert {image.numpy().tobytes() for image in alone.images} <= drawn


def test_too_few_synthetic_images_are_refused(sources, chosen):
    with pytest.raises(RunError, match="found 40 synthetic images of a class, expected 200"):
        put_together(TrainingSet(0, 100), sources, chosen)


def test_a_source_that_is_not_there_is_refused(cut, chosen):
    for wanted in (TrainingSet(synthetic_per_class=5), TrainingSet(new_per_class=5)):
        with pytest.raises(ValueError, match="found no"):
            put_together(wanted, Sources(cut), chosen)


def test_originals_are_repeated_until_they_are_as_many_as_a_group(sources, chosen):
    once = int(chosen.sum())
    repeated = put_together(TrainingSet(repeated_per_fold=24), sources, chosen)
    times = round(24 * 3 * chosen.mean() / once)
    assert times > 1
    assert len(repeated.labels) == times * once
    own = put_together(TrainingSet(), sources, chosen).images
    assert torch.equal(repeated.images[:once], own)
