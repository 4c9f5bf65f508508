"""Squares of a slice that are normal: of liver, clear of all lesions, and of the lesion's size."""

from dataclasses import replace

import numpy as np
import pytest

from lesion.ct import CTSlice
from lesion.errors import CohortError
from lesion.outline import from_mask
from training.data import surroundings
from training.data.records import CohortLesion
from training.phantom.classes import LesionClass

LIVER, FAT, LESION = 100.0, -100.0, 300.0


def disc(shape, centre, radius):
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return np.hypot(x - centre[0], y - centre[1]) < radius


@pytest.fixture
def make_slice():
    """A liver in fat, and lesions in it, as CohortLesions of one slice; pixels are 0.8 x 0.7 mm."""

    def make(*at, liver=110, shape=(300, 320), spacing=(0.8, 0.7)):
        hu = np.where(disc(shape, (160, 150), liver), LIVER, FAT)
        masks = [disc(shape, centre, radius) for *centre, radius in at]
        for mask in masks:
            hu[mask] = LESION
        hu = hu + np.random.default_rng(0).normal(0, 8, shape)
        ct = CTSlice(hu.astype(np.float32), spacing)
        return [
            CohortLesion(
                f"l{n}", "p", LesionClass.CYST, ct, from_mask(mask, shape=shape)[0], 10.0, "biopsy"
            )
            for n, mask in enumerate(masks)
        ]

    return make


def find(lesion, marked, most=6, seed=1):
    outlines = [one.outline for one in marked]
    return surroundings.find(lesion, outlines, most=most, rng=np.random.default_rng(seed))


def test_squares_are_liver_and_clear_of_every_lesion(make_slice):
    marked = make_slice((160, 150, 12), (200, 120, 9), (120, 180, 20))
    for lesion in marked:
        found = find(lesion, marked)
        assert found.shape == (6, 64, 64)
        assert found.dtype == np.float32
        assert found.max() < (LIVER + LESION) / 2
        middle = found[:, 20:44, 20:44]
        assert np.median(middle, axis=(1, 2)) == pytest.approx(LIVER, abs=5)
        assert middle.min() > (LIVER + FAT) / 2
    first = find(marked[0], marked)
    assert np.array_equal(first, find(marked[0], marked))
    assert not np.array_equal(first, find(marked[0], marked, seed=2))
    assert len(find(marked[0], marked, most=2)) == 2


def test_a_lesion_that_nobody_marks_is_met(make_slice):
    """It is the marks that keep squares clear: without them some show the other lesion."""
    marked = make_slice((160, 150, 12), (200, 120, 5), (120, 180, 5), (190, 180, 5), (130, 120, 5))
    assert find(marked[0], marked, most=60).max() < (LIVER + LESION) / 2
    assert find(marked[0], marked[:1], most=60).max() > (LIVER + LESION) / 2


def test_where_there_is_no_room_there_is_none(make_slice):
    (alone,) = make_slice((160, 150, 25), liver=55)
    assert find(alone, [alone]).shape == (0, 64, 64)


def test_needs_a_spacing(make_slice):
    (lesion,) = make_slice((160, 150, 12))
    lesion = replace(lesion, ct=replace(lesion.ct, spacing_mm=None))
    with pytest.raises(CohortError, match="l0: found a slice without spacing"):
        find(lesion, [lesion])
