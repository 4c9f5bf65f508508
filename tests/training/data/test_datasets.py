"""The paper's data groups (4.2): additive, and the same number from every lesion."""

import numpy as np
import pytest
import torch

from lesion.errors import RunError
from training.data import datasets
from training.data.datasets import HU_WINDOW

CPU = torch.device("cpu")


@pytest.fixture
def chosen(cut):
    return np.arange(len(cut.classes)) % 2 == 0


def images_of(data):
    return {image.numpy().tobytes() for image in data.images}


def test_a_larger_group_contains_the_smaller(cut, chosen):
    lesions = int(chosen.sum())
    groups = [datasets.classic(cut, chosen, count=each * lesions, device=CPU) for each in (1, 2, 5)]
    smallest, middle, largest = map(images_of, groups)
    assert smallest < middle < largest


def test_every_chosen_lesion_gives_equally_many_with_its_class(cut, chosen):
    group = datasets.classic(cut, chosen, count=4 * int(chosen.sum()), device=CPU)
    unit = datasets.to_unit(cut.variants)
    for row, lesion in enumerate(unit):
        own = [
            any(torch.equal(image, v) for v in torch.from_numpy(lesion)) for image in group.images
        ]
        assert sum(own) == (4 if chosen[row] else 0)
        assert set(group.labels[own].tolist()) <= {int(cut.classes[row])}


def test_a_group_is_equal_numbers_of_every_lesion_to_the_nearest(cut, chosen):
    lesions, all_of_each = int(chosen.sum()), cut.variants.shape[1]
    for count, each in ((2.4 * lesions, 2), (2.6 * lesions, 3), ((all_of_each + 0.4) * lesions, 6)):
        group = datasets.classic(cut, chosen, count=int(count), device=CPU)
        assert len(group.labels) == each * lesions


def test_a_group_that_needs_more_than_was_cut_is_refused(cut, chosen):
    lesions, all_of_each = int(chosen.sum()), cut.variants.shape[1]
    with pytest.raises(RunError, match="found 6 augmentations of each of 12 lesions, expected 7 "):
        datasets.classic(cut, chosen, count=(all_of_each + 1) * lesions, device=CPU)


def test_the_originals_are_those_of_the_chosen(cut, chosen):
    group = datasets.originals(cut, chosen, device=CPU)
    assert np.array_equal(group.images.numpy(), datasets.to_unit(cut.originals[chosen]))
    assert np.array_equal(group.labels.numpy(), cut.classes[chosen])
    cysts = group.of_class(0)
    assert np.array_equal(cysts.images.numpy(), group.images[group.labels == 0].numpy())
    assert set(cysts.labels.tolist()) == {0}


def test_repeating_keeps_the_mixture(cut, chosen):
    group = datasets.originals(cut, chosen, device=CPU)
    longer = group.repeated(5 * len(group.labels) + 2)
    assert len(longer.images) == len(longer.labels) == 5 * len(group.labels)
    assert torch.equal(longer.labels.bincount(), 5 * group.labels.bincount())
    assert images_of(longer) == images_of(group)


def test_the_window_becomes_zero_to_one_and_clips():
    low, high = HU_WINDOW
    hu = np.broadcast_to(
        np.array([low - 500, low, (low + high) / 2, high, high + 500])[:, None, None], (5, 64, 64)
    )
    assert datasets.to_unit(hu)[:, 0, 0].tolist() == [0, 0, 0.5, 1, 1]
