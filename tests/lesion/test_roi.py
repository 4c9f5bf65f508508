"""The cut is one affine map in mm: it knows where every pixel of the patch comes from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.transform import resize, warp

from lesion.outline import from_box
from lesion.roi import (
    MARGIN,
    PATCH_SIZE,
    Variation,
    _patch_to_slice,
    covers,
    cut,
    leaves_image,
    side_mm,
)

SHAPE = (160, 200)
NOISE = np.random.default_rng(5).normal(60, 40, SHAPE).astype(np.float32)
SMOOTH = gaussian_filter(NOISE, 3) * 10
SPACING = st.sampled_from([(0.7, 0.7), (0.8, 0.6), (1.5, 0.5), (0.4, 1.1)])


@st.composite
def boxes(draw, margin=45):
    """Boxes in the middle of the slice: their ROI stays inside."""
    x0 = draw(st.integers(margin, SHAPE[1] - margin - 20))
    y0 = draw(st.integers(margin, SHAPE[0] - margin - 20))
    return x0, y0, x0 + draw(st.integers(3, 20)), y0 + draw(st.integers(3, 20))


VARIATIONS = st.fixed_dictionaries(
    {
        "rotation_deg": st.floats(-180, 180),
        "flip_x": st.booleans(),
        "flip_y": st.booleans(),
        "shift_px": st.tuples(st.floats(-4, 4), st.floats(-4, 4)),
        "zoom_out": st.floats(0, 0.3),
    }
)


@given(boxes(), SPACING, VARIATIONS)
@settings(max_examples=40)
def test_cutting_from_the_neighbourhood_equals_cutting_from_the_whole_slice(
    box, spacing_mm, changes
):
    outline, variation = from_box(*box, shape=SHAPE), Variation(**changes)
    side = side_mm(outline, spacing_mm, margin=MARGIN + variation.zoom_out)
    sigma = np.maximum(0, (side / PATCH_SIZE / np.array(spacing_mm) - 1) / 2)
    whole = gaussian_filter(NOISE, sigma, mode="nearest")
    to_slice = _patch_to_slice(outline.centre_px, spacing_mm, side, variation)
    expected = warp(whole, to_slice, output_shape=(64, 64), order=3, mode="edge", clip=False)
    patch = cut(NOISE, spacing_mm, outline, variation=variation)
    np.testing.assert_allclose(patch, expected, atol=0.02)
    assert patch.shape == (64, 64)
    assert patch.dtype == np.float32


@given(boxes(), st.integers(-20, 20), st.integers(-20, 20), VARIATIONS)
@settings(max_examples=30)
def test_moving_lesion_and_outline_together_changes_nothing(box, right, down, changes):
    outline, variation = from_box(*box, shape=SHAPE), Variation(**changes)
    x0, y0, x1, y1 = box
    there = from_box(x0 + right, y0 + down, x1 + right, y1 + down, shape=SHAPE)
    moved = np.roll(NOISE, (down, right), axis=(0, 1))
    np.testing.assert_allclose(
        cut(moved, (0.7, 0.7), there, variation=variation),
        cut(NOISE, (0.7, 0.7), outline, variation=variation),
        atol=0.02,
    )


@given(boxes(), SPACING)
@settings(max_examples=30)
def test_every_pixel_comes_from_where_the_rule_says(box, spacing_mm):
    """On a plane in mm, bicubic interpolation and its low-pass are exact."""
    outline = from_box(*box, shape=SHAPE)
    row_mm, col_mm = spacing_mm
    y_mm, x_mm = np.mgrid[:160, :200] + 0.5
    plane = 3 * x_mm * col_mm - 2 * y_mm * row_mm
    side = max((outline.x1 - outline.x0) * col_mm, (outline.y1 - outline.y0) * row_mm) * 1.44
    offset = (np.arange(64) + 0.5) / 64 * side - side / 2
    centre_x = (outline.x0 + outline.x1) / 2 * col_mm
    centre_y = (outline.y0 + outline.y1) / 2 * row_mm
    expected = 3 * (centre_x + offset)[None] - 2 * (centre_y + offset)[:, None]
    patch = cut(plane, spacing_mm, outline)
    np.testing.assert_allclose(patch, expected, atol=0.02)
    assert side_mm(outline, spacing_mm) == pytest.approx(side)


@given(boxes(), SPACING)
@settings(max_examples=20)
def test_flips_and_right_angles_are_those_of_the_patch(box, spacing_mm):
    outline = from_box(*box, shape=SHAPE)

    def varied(**changes):
        return cut(SMOOTH, spacing_mm, outline, variation=Variation(**changes))

    patch = varied()
    close = {"atol": 0.01}
    np.testing.assert_allclose(varied(flip_x=True), patch[:, ::-1], **close)
    np.testing.assert_allclose(varied(flip_y=True), patch[::-1], **close)
    np.testing.assert_allclose(varied(rotation_deg=180), patch[::-1, ::-1], **close)
    np.testing.assert_allclose(varied(rotation_deg=360), patch, **close)
    if spacing_mm[0] == spacing_mm[1]:  # else the low-pass is not the same along both axes
        np.testing.assert_allclose(varied(rotation_deg=90), np.rot90(patch), **close)


@given(boxes())
@settings(max_examples=20)
def test_mirrored_slice_and_outline_give_the_mirrored_patch(box):
    outline = from_box(*box, shape=SHAPE)
    mirrored = from_box(200 - box[2], box[1], 200 - box[0], box[3], shape=SHAPE)
    np.testing.assert_allclose(
        cut(NOISE[:, ::-1], (0.8, 0.7), mirrored),
        cut(NOISE, (0.8, 0.7), outline)[:, ::-1],
        atol=0.02,
    )


@given(boxes())
@settings(max_examples=20)
def test_shift_and_zoom_are_another_outline_and_margin(box):
    outline = from_box(*box, shape=SHAPE)
    moved = from_box(box[0] + 3, box[1] - 2, box[2] + 3, box[3] - 2, shape=SHAPE)
    spacing_mm = (0.8, 0.7)
    np.testing.assert_array_equal(
        cut(NOISE, spacing_mm, outline, variation=Variation(shift_px=(3, -2))),
        cut(NOISE, spacing_mm, moved),
    )
    np.testing.assert_allclose(
        cut(NOISE, spacing_mm, outline, variation=Variation(zoom_out=0.1)),
        cut(NOISE, spacing_mm, outline, margin=MARGIN + 0.1),
        atol=1e-4,
    )


def test_a_large_lesion_is_resized_as_skimage_resizes_it():
    """Another implementation of bicubic with anti-aliasing; the margins differ at the edges."""
    outline = from_box(36, 16, 164, 144, shape=SHAPE)
    patch = cut(SMOOTH, (1.0, 1.0), outline, margin=0.0)
    expected = resize(SMOOTH[16:144, 36:164], (64, 64), order=3, anti_aliasing=True, clip=False)
    np.testing.assert_allclose(patch[4:-4, 4:-4], expected[4:-4, 4:-4], atol=0.5)


@pytest.mark.parametrize("corner", [(0, 0, 20, 20), (180, 0, 200, 20), (180, 140, 200, 160)])
def test_beyond_the_slice_the_edge_is_repeated(corner):
    outline = from_box(*corner, shape=SHAPE)
    rows, cols = np.mgrid[:160, :200]
    patch = cut((rows + 10.0 * cols), (1.0, 1.0), outline)
    assert leaves_image(SHAPE, (1.0, 1.0), outline)
    step = 20 * 1.44 / 64
    x = np.clip(corner[0] + 10 - 14.4 + (np.arange(64) + 0.5) * step - 0.5, 0, 199)
    y = np.clip(corner[1] + 10 - 14.4 + (np.arange(64) + 0.5) * step - 0.5, 0, 159)
    # A cubic overshoots by a little where the ramp ends.
    np.testing.assert_allclose(patch, y[:, None] + 10 * x[None], atol=1.0)


@pytest.mark.parametrize(
    ("box", "leaves"),
    [((50, 50, 70, 70), False), ((0, 50, 20, 70), True), ((50, 140, 70, 160), True)],
)
def test_tells_whether_the_roi_leaves_the_slice(box, leaves):
    assert leaves_image(SHAPE, (0.7, 0.7), from_box(*box, shape=SHAPE)) == leaves


def test_a_roi_that_just_fits_does_not_leave():
    # A lesion of 100 px with a margin of 22 px each side, 22 px from the border.
    outline = from_box(22, 22, 122, 122, shape=SHAPE)
    assert not leaves_image(SHAPE, (0.5, 0.5), outline)
    nearer = from_box(21, 22, 121, 122, shape=SHAPE)
    assert leaves_image(SHAPE, (0.5, 0.5), nearer)


def test_tells_whether_the_roi_covers_padding():
    padding = np.zeros(SHAPE, bool)
    padding[:10] = True
    assert covers(padding, (1.0, 1.0), from_box(50, 12, 60, 22, shape=SHAPE))
    assert not covers(padding, (1.0, 1.0), from_box(50, 40, 60, 50, shape=SHAPE))


def test_a_cut_does_not_depend_on_the_slices_type():
    outline = from_box(60, 60, 80, 90, shape=SHAPE)
    whole = np.round(NOISE)
    np.testing.assert_array_equal(
        cut(whole.astype(np.float32), (0.7, 0.7), outline),
        cut(whole.astype(np.float64), (0.7, 0.7), outline),
    )


@pytest.mark.parametrize("spacing_mm", [(0.5, 0.5), (0.25, 0.5)])
def test_a_huge_square_is_cut_from_block_means_in_the_right_place(spacing_mm):
    """A ramp keeps its values whatever averages it; only the place of each pixel counts."""
    rows, cols = np.mgrid[:1600, :1500].astype(np.float32)
    hu = 0.3 * cols - 0.2 * rows
    outline = from_box(300, 350, 1200, 1250, shape=hu.shape)
    patch = cut(hu, spacing_mm, outline, margin=0.0)
    x, y = outline.centre_px
    step_mm = side_mm(outline, spacing_mm, margin=0.0) / PATCH_SIZE
    offset = (np.arange(PATCH_SIZE) - 31.5) * step_mm
    expected = 0.3 * (x - 0.5 + offset / spacing_mm[1]) - 0.2 * (
        y - 0.5 + offset[:, None] / spacing_mm[0]
    )
    inside = np.zeros((PATCH_SIZE, PATCH_SIZE), bool)
    inside[4:-4, 12:-12] = True  # away from the slice's edge, which the low-pass repeats
    assert patch[inside] == pytest.approx(expected[inside], abs=0.05)
