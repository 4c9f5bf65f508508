"""Outlines are what was drawn, or the reason why it is no lesion."""

import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from lesion import outline
from lesion.errors import (
    MaskSizeError,
    OutlineCrossingError,
    OutlineNotFiniteError,
    OutlineOutsideError,
    OutlineTooSmallError,
    TooLargeError,
)
from lesion.outline import (
    MOST_POINTS,
    MOST_REGIONS,
    from_box,
    from_mask,
    from_masks,
    from_polygon,
)

SHAPE = (60, 80)
NAN, INF = float("nan"), float("inf")


def _box(outline):
    return outline.x0, outline.y0, outline.x1, outline.y1


@st.composite
def boxes(draw):
    x0, y0 = draw(st.integers(0, 77)), draw(st.integers(0, 57))
    return x0, y0, draw(st.integers(x0 + 2, 80)), draw(st.integers(y0 + 2, 60))


@st.composite
def stars(draw):
    """Polygons around (40, 30), whose edges never cross."""
    count = draw(st.integers(5, 40))
    radius = draw(arrays(float, count, elements=st.floats(3, 29)))
    angle = np.arange(count) * 2 * np.pi / count
    return np.stack([40 + radius * np.cos(angle), 30 + radius * np.sin(angle)], axis=1).tolist()


@given(boxes())
def test_a_mask_of_a_box_has_the_outline_of_the_box(box):
    x0, y0, x1, y1 = box
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    (outline,) = from_mask(mask, shape=SHAPE)
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    polygon = from_polygon(corners, shape=SHAPE)
    assert _box(outline) == _box(polygon) == _box(from_box(*box, shape=SHAPE)) == box
    spacing_mm = (0.7, 0.9)
    expected = np.hypot((x1 - x0) * 0.9, (y1 - y0) * 0.7)
    assert outline.diameter_mm(spacing_mm) == pytest.approx(expected)
    assert polygon.diameter_mm(spacing_mm) == pytest.approx(expected)


@given(boxes(), st.floats(0.2, 3), st.floats(0.2, 3))
def test_a_box_measures_its_larger_side_in_mm(box, row_mm, col_mm):
    outline = from_box(*box, shape=SHAPE)
    expected = max((box[2] - box[0]) * col_mm, (box[3] - box[1]) * row_mm)
    assert outline.diameter_mm((row_mm, col_mm)) == pytest.approx(expected)
    assert outline.extent_mm((row_mm, col_mm)) == pytest.approx(expected)


@given(stars(), st.integers(0, 39), st.booleans())
def test_where_a_polygon_begins_and_which_way_it_runs_does_not_matter(points, start, backwards):
    start %= len(points)
    other = (points[start:] + points[:start])[:: -1 if backwards else 1]
    one, two = from_polygon(points, shape=SHAPE), from_polygon(other, shape=SHAPE)
    assert _box(one) == _box(two)
    assert one.diameter_mm((1, 2)) == pytest.approx(two.diameter_mm((1, 2)))


@given(stars())
def test_a_closed_polygon_is_the_open_one(points):
    closed = from_polygon([*points, points[0]], shape=SHAPE)
    assert _box(closed) == _box(from_polygon(points, shape=SHAPE))


@given(stars())
def test_a_polygon_is_refused_where_its_edges_cross(points):
    points[0], points[2] = points[2], points[0]
    if _any_edges_cross(points):
        with pytest.raises(OutlineCrossingError):
            from_polygon(points, shape=SHAPE)
    else:  # a star so flat that the swap goes unnoticed
        from_polygon(points, shape=SHAPE)


def _any_edges_cross(points):
    """Straight from the definition, an edge at a time."""
    count = len(points)
    edges = [(points[i], points[(i + 1) % count]) for i in range(count)]

    def turn(p, q, r):
        return np.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return any(
        turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
        for i, (a, b) in enumerate(edges)
        for j, (c, d) in enumerate(edges)
        if i < j and j - i not in (1, count - 1)
    )


@pytest.mark.parametrize(
    "points",
    [
        [(10, 10), (30, 30), (30, 10), (10, 30)],
        [(10, 10), (30, 10), (10, 30), (30, 30)],
        [(10, 10), (50, 10), (50, 50), (30, 5), (10, 50)],
    ],
)
@pytest.mark.parametrize("start", [0, 1, 2, 3])
def test_refuses_polygons_that_cross_themselves(points, start):
    with pytest.raises(OutlineCrossingError):
        from_polygon(points[start:] + points[:start], shape=SHAPE)


@pytest.mark.parametrize(
    ("box", "error"),
    [
        ((NAN, 1, 5, 5), OutlineNotFiniteError),
        ((1, 1, INF, 5), OutlineNotFiniteError),
        ((5, 1, 1, 5), OutlineTooSmallError),
        ((1, 5, 5, 1), OutlineTooSmallError),
        ((3, 3, 3, 3), OutlineTooSmallError),
        ((3, 3, 4, 4), OutlineTooSmallError),
        ((3, 3, 4.9, 20), OutlineTooSmallError),
        ((-1, 1, 5, 5), OutlineOutsideError),
        ((1, -0.1, 5, 5), OutlineOutsideError),
        ((1, 1, 81, 5), OutlineOutsideError),
        ((1, 1, 5, 60.5), OutlineOutsideError),
        ((500, 500, 600, 600), OutlineOutsideError),
        ((1, 1, 1e308, 5), OutlineOutsideError),
    ],
)
def test_refuses_boxes(box, error):
    with pytest.raises(error):
        from_box(*box, shape=SHAPE)


@pytest.mark.parametrize(
    ("points", "error"),
    [
        ([], OutlineTooSmallError),
        ([(1, 1)], OutlineTooSmallError),
        ([(1, 1), (5, 5)], OutlineTooSmallError),
        ([(1, 1), (5, 5), (1, 1)], OutlineTooSmallError),
        ([(1, 1), (5, 5), (9, 9)], OutlineTooSmallError),
        ([(3, 3)] * 10, OutlineTooSmallError),
        ([(1, 1, 1), (5, 5, 5), (9, 1, 1)], OutlineTooSmallError),
        ([(1, 1), (NAN, 5), (9, 1)], OutlineNotFiniteError),
        ([(1, 1), (5, -INF), (9, 1)], OutlineNotFiniteError),
        ([(1, 1), (5, 500), (9, 1)], OutlineOutsideError),
    ],
)
def test_refuses_polygons(points, error):
    with pytest.raises(error):
        from_polygon(points, shape=SHAPE)


def test_the_most_points_are_read_in_bounded_time_and_memory():
    angle = np.linspace(0, 2 * np.pi, MOST_POINTS, endpoint=False)
    points = np.stack([40 + 20 * np.cos(angle), 30 + 20 * np.sin(angle)], axis=1).tolist()
    tracemalloc.start()
    start = time.process_time()
    from_polygon(points, shape=SHAPE)
    assert time.process_time() - start < 2  # under tracemalloc
    assert tracemalloc.get_traced_memory()[1] < 4e6
    tracemalloc.stop()
    with pytest.raises(TooLargeError):
        from_polygon([(1.0, 1.0)] * (MOST_POINTS + 1), shape=SHAPE)


@given(arrays(bool, (20, 20)))
@settings(max_examples=60)
def test_a_mask_has_an_outline_for_each_region_that_can_be_a_lesion(mask):
    regions, count = label(mask, np.ones((3, 3)))
    sizes = {}
    for number in range(1, count + 1):
        rows, cols = np.nonzero(regions == number)
        box = (cols.min(), rows.min(), cols.max() + 1, rows.max() + 1)
        if min(box[2] - box[0], box[3] - box[1]) >= 2:
            sizes[box] = len(rows)
    if not sizes:
        with pytest.raises(OutlineTooSmallError):
            from_mask(mask, shape=(20, 20))
        return
    found = from_mask(mask, shape=(20, 20))
    assert {_box(outline) for outline in found} == set(sizes)


def test_regions_are_sorted_by_size_and_touch_at_corners():
    mask = np.zeros(SHAPE, bool)
    mask[0:3, 0:3] = mask[10:20, 10:20] = mask[20:25, 20:25] = True
    assert [_box(outline) for outline in from_mask(mask, shape=SHAPE)] == [
        (10, 10, 25, 25),
        (0, 0, 3, 3),
    ]


def test_the_diameter_of_a_mask_is_that_of_its_pixels_not_of_its_box():
    rows, cols = np.mgrid[:60, :80]
    disc = (rows - 30) ** 2 + (cols - 40) ** 2 <= 20**2
    (outline,) = from_mask(disc, shape=SHAPE)
    assert outline.diameter_mm((1, 1)) == pytest.approx(41, abs=0.5)


def test_refuses_masks():
    with pytest.raises(MaskSizeError, match="found 10x10 pixels, expected 60x80"):
        from_mask(np.ones((10, 10), bool), shape=SHAPE)
    empty = np.zeros(SHAPE, bool)
    with pytest.raises(OutlineTooSmallError, match="no marked pixel"):
        from_mask(empty, shape=SHAPE)
    empty[7, 7] = True
    with pytest.raises(OutlineTooSmallError, match="at least 2 pixels"):
        from_mask(empty, shape=SHAPE)


def test_regions_within_each_others_boxes_cost_no_more_than_the_mask():
    mask = np.zeros((1000, 1000), bool)
    for k in range(0, 998, 2):
        mask[k, k:] = mask[k:, k] = True
    tracemalloc.start()
    start = time.process_time()
    outlines = from_mask(mask, shape=mask.shape)
    assert time.process_time() - start < 2  # under tracemalloc
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()
    assert [_box(outline) for outline in outlines] == [(k, k, 1000, 1000) for k in range(0, 998, 2)]


def test_refuses_a_mask_of_more_regions_than_anybody_draws():
    mask = np.zeros((2048, 2048), bool)
    mask[::2, ::2] = True
    start = time.process_time()
    with pytest.raises(TooLargeError, match=f"expected at most {MOST_REGIONS}"):
        from_mask(mask, shape=mask.shape)
    assert time.process_time() - start < 1


@pytest.fixture
def no_hull(monkeypatch):
    """Fail where a region is outlined, which takes longer than finding it."""

    def fail(points):
        raise AssertionError("a hull was made")

    monkeypatch.setattr(outline, "ConvexHull", fail)


def test_more_regions_than_asked_for_are_refused_before_one_is_outlined(no_hull):
    mask = np.zeros((512, 512), bool)
    for row in range(0, 512, 17):
        for column in range(0, 512, 17):
            mask[row : row + 12, column : column + 12] = True
    with pytest.raises(TooLargeError, match="found 961 lesions or more, expected at most 32"):
        from_mask(mask, shape=mask.shape, most=32)


def test_several_masks_are_bounded_together(no_hull):
    one = np.zeros(SHAPE, bool)
    one[3:9, 3:9] = one[20:29, 20:29] = True
    with pytest.raises(TooLargeError, match="found 4 lesions or more, expected at most 3"):
        from_masks([one] * 200, shape=SHAPE, most=3)


def test_specks_are_no_lesions_to_be_counted():
    mask = np.zeros(SHAPE, bool)
    mask[::4, ::4] = True
    mask[9:20, 9:20] = True
    assert len(from_mask(mask, shape=SHAPE, most=1)) == 1


def test_several_masks_are_read_as_each_alone():
    one, other = np.zeros((2, *SHAPE), bool)
    one[3:9, 3:9] = one[20:29, 20:29] = True
    other[5:50, 5:50] = True
    for found, mask in zip(from_masks([one, other], shape=SHAPE), (one, other), strict=True):
        alone = from_mask(mask, shape=SHAPE)
        assert [_box(outline) for outline in found] == [_box(outline) for outline in alone]
