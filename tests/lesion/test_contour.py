"""The line around a lesion encloses what was marked, and is as long across as the outline says."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import pdist
from skimage.measure import label

from lesion.contour import contour
from lesion.errors import OutlineTooSmallError, TooLargeError
from lesion.outline import from_box, from_mask, from_polygon


def area(corners: np.ndarray) -> float:
    x, y = corners.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


@given(mask=arrays(bool, st.tuples(st.integers(2, 12), st.integers(2, 12))))
def test_a_masks_contour_encloses_its_region_and_nothing_else(mask):
    assume(mask.any())
    try:
        outlines = from_mask(mask, shape=mask.shape)
    except OutlineTooSmallError:
        assume(False)
    regions = label(mask, connectivity=2)
    for outline in outlines:
        corners = contour(outline)
        row, column, _ = outline.runs[0]
        region = regions == regions[row, column]
        # Filled: whatever cannot be reached from outside in steps along rows and columns.
        outside = label(np.pad(~region, 1, constant_values=True), connectivity=1)
        assert area(corners) == np.sum(outside != outside[0, 0])
        assert pdist(corners * [0.7, 0.8]).max() == pytest.approx(outline.diameter_mm((0.8, 0.7)))
        assert (*corners.min(axis=0), *corners.max(axis=0)) == (
            outline.x0, outline.y0, outline.x1, outline.y1,
        )  # fmt: skip
        turns = np.diff(corners, axis=0, append=corners[:1])
        assert np.all((turns == 0).sum(axis=1) == 1)  # along the edges, and no corner twice


def test_a_hole_is_not_shown():
    mask = np.zeros((9, 9), bool)
    mask[2:7, 3:8] = True
    mask[4, 5] = False
    (outline,) = from_mask(mask, shape=mask.shape)
    assert contour(outline).tolist() == [[3, 2], [8, 2], [8, 7], [3, 7]]


def test_a_box_and_a_polygon_are_their_own_contours():
    box = from_box(1.5, 2, 5, 7.25, shape=(9, 9))
    assert contour(box).tolist() == [[1.5, 2], [5, 2], [5, 7.25], [1.5, 7.25]]
    points = [[1, 1], [8, 1], [4, 4], [8, 8], [1, 8]]  # not convex
    assert contour(from_polygon([*points, points[0]], shape=(9, 9))).tolist() == points


def test_a_boundary_that_is_no_lesions_is_refused():
    comb = np.zeros((600, 600), bool)
    comb[:, ::2] = comb[-1] = True
    (outline,) = from_mask(comb, shape=comb.shape)
    with pytest.raises(TooLargeError, match="boundary of more than 65536"):
        contour(outline)
