"""The ROI rule: how a lesion's outline becomes the 64x64 patch that a network sees.

One affine map from patch pixels to slice pixels, one bicubic interpolation, used by training and by
service alike. The map works in mm, so anisotropic pixels need no resampling of their own, and the
classic augmentations of the paper (3.1: rotation, flip, translation, scale) are the same map with
other numbers: the whole slice is there, so no black corner appears.

Pixel coordinates follow DICOM's SCOORD (PS3.3 C.18.6): x to the right, y down, (0, 0) the outer
corner of the first pixel, whose centre is (0.5, 0.5).
"""

from dataclasses import dataclass
from math import cos, radians, sin

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.ndimage import gaussian_filter
from skimage.transform import downscale_local_mean, warp

from lesion.outline import Outline

PATCH_SIZE = 64

#: Tissue on each side of the lesion, as a fraction of its extent: read off the paper's Fig. 3.
MARGIN = 0.22

_GAUSSIAN_REACH = 4.0  # scipy's truncation, in sigmas
#: Patch pixels of eight slice pixels and more are cut from averages of blocks. The paper's largest
#: lesion (102 mm), zoomed out, has six of 0.6 mm.
_FINEST_STEP_PX = 4.0
_BICUBIC_REACH = 2  # pixels either side that a bicubic kernel reads


@dataclass(frozen=True, slots=True)
class Variation:
    """One classic augmentation (paper 3.1).

    The default changes nothing: it is what the service cuts.

    `rotation_deg` turns the slice about the lesion's centre; `flip_x` and `flip_y` mirror
    left-right and up-down; `shift_px` moves the window by (x, y) native pixels; `zoom_out` adds
    that fraction of the lesion's extent on each side.
    """

    rotation_deg: float = 0.0
    flip_x: bool = False
    flip_y: bool = False
    shift_px: tuple[float, float] = (0.0, 0.0)
    zoom_out: float = 0.0


IDENTITY = Variation()


def side_mm(outline: Outline, spacing_mm: tuple[float, float], *, margin: float = MARGIN) -> float:
    """Return the side of the square ROI in mm: the outline's larger extent x (1 + 2 x margin)."""
    return outline.extent_mm(spacing_mm) * (1.0 + 2.0 * margin)


def cut(
    hu: Float[np.ndarray, "rows cols"],
    spacing_mm: tuple[float, float],
    outline: Outline,
    *,
    margin: float = MARGIN,
    variation: Variation = IDENTITY,
) -> Float[np.ndarray, "64 64"]:
    """Cut the lesion out of its slice: float32 [64, 64] in HU.

    Where the square leaves the slice, the edge is repeated.
    """
    side = side_mm(outline, spacing_mm, margin=margin + variation.zoom_out)
    to_slice = _patch_to_slice(outline.centre_px, spacing_mm, side, variation)
    step_px = (side / PATCH_SIZE) / np.asarray(spacing_mm)
    # A square of a thousand pixels is no lesion: averaging blocks first bounds what its cut costs.
    block = np.maximum(1, step_px // _FINEST_STEP_PX).astype(int)
    # The low-pass of skimage.transform.resize: without it a large lesion's noise would alias into
    # its patch.
    sigma_px = np.maximum(0.0, (step_px / block - 1.0) / 2.0)
    reach_px = block * (np.ceil(_GAUSSIAN_REACH * sigma_px) + _BICUBIC_REACH + 1).astype(int)
    rows, cols = _neighbourhood(hu.shape, to_slice, reach_px)
    near = _block_means(np.asarray(hu[rows, cols], dtype=np.float32), block)
    if sigma_px.any():
        near = gaussian_filter(near, sigma_px, mode="nearest", truncate=_GAUSSIAN_REACH)
    (down, across), (top, left) = block, (rows.start, cols.start)
    to_block = [
        [1 / across, 0, -(left + (across - 1) / 2) / across],
        [0, 1 / down, -(top + (down - 1) / 2) / down],
        [0, 0, 1],
    ]
    to_near = np.array(to_block) @ to_slice
    patch: np.ndarray = warp(
        near,
        to_near,
        output_shape=(PATCH_SIZE, PATCH_SIZE),
        order=3,
        mode="edge",
        clip=False,
        preserve_range=True,
    )
    return np.asarray(patch, dtype=np.float32)


def leaves_image(
    shape: tuple[int, int],
    spacing_mm: tuple[float, float],
    outline: Outline,
    *,
    margin: float = MARGIN,
) -> bool:
    """Tell whether the square ROI leaves the slice, so that part of the patch is repeated edge."""
    corners = _corners(
        _patch_to_slice(
            outline.centre_px, spacing_mm, side_mm(outline, spacing_mm, margin=margin), IDENTITY
        )
    )
    rows, cols = shape
    return bool(
        corners.min() < -0.5 or corners[0].max() > cols - 0.5 or corners[1].max() > rows - 0.5
    )


def covers(
    mask: Bool[np.ndarray, "rows cols"],
    spacing_mm: tuple[float, float],
    outline: Outline,
    *,
    margin: float = MARGIN,
) -> bool:
    """Tell whether a marked pixel of the slice (padding, say) lies in the square ROI.

    The few pixels around it that the interpolation may read count too.
    """
    square = _patch_to_slice(
        outline.centre_px, spacing_mm, side_mm(outline, spacing_mm, margin=margin), IDENTITY
    )
    reach_px = np.full(2, _BICUBIC_REACH + 1)
    return bool(mask[_neighbourhood(mask.shape, square, reach_px)].any())


def _patch_to_slice(
    centre_px: tuple[float, float],
    spacing_mm: tuple[float, float],
    side: float,
    variation: Variation,
) -> Float[np.ndarray, "3 3"]:
    """Map patch indices (col, row) to slice indices (col, row), both counted from pixel centres."""
    step = side / PATCH_SIZE
    middle = (PATCH_SIZE - 1) / 2
    to_mm = np.array([[step, 0, -step * middle], [0, step, -step * middle], [0, 0, 1.0]])
    mirror = np.diag([-1.0 if variation.flip_x else 1.0, -1.0 if variation.flip_y else 1.0, 1.0])
    angle = radians(variation.rotation_deg)
    turn = np.array([[cos(angle), -sin(angle), 0], [sin(angle), cos(angle), 0], [0, 0, 1.0]])
    row_mm, col_mm = spacing_mm
    x, y = centre_px[0] + variation.shift_px[0] - 0.5, centre_px[1] + variation.shift_px[1] - 0.5
    to_px = np.array([[1 / col_mm, 0, x], [0, 1 / row_mm, y], [0, 0, 1.0]])
    matrix: np.ndarray = to_px @ turn @ mirror @ to_mm
    return matrix


def _block_means(
    hu: Float[np.ndarray, "rows cols"], block: Int[np.ndarray, "2"]
) -> Float[np.ndarray, "r c"]:
    """Average blocks of (rows, columns); the last ones are filled up with the edge."""
    if (block == 1).all():
        return hu
    fill = [(0, -size % step) for size, step in zip(hu.shape, block.tolist(), strict=True)]
    means: np.ndarray = downscale_local_mean(np.pad(hu, fill, mode="edge"), tuple(block.tolist()))
    return means.astype(np.float32)


def _corners(to_slice: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "2 4"]:
    """Return the slice indices (col; row) of the patch's four outer corners."""
    low, high = -0.5, PATCH_SIZE - 0.5
    square = np.array([[low, high, high, low], [low, low, high, high], [1, 1, 1, 1]])
    return np.asarray((to_slice @ square)[:2])


def _neighbourhood(
    shape: tuple[int, ...], to_slice: Float[np.ndarray, "3 3"], reach_px: Int[np.ndarray, "2"]
) -> tuple[slice, slice]:
    """Return the rows and columns of the slice that the cut can read.

    Cutting there equals cutting from the whole slice.
    """
    cols, rows = _corners(to_slice)

    def span(points: Float[np.ndarray, "4"], pad: int, size: int) -> slice:
        start = min(max(int(points.min()) - pad, 0), size - 1)
        return slice(start, max(min(int(points.max()) + pad + 1, size), start + 1))

    return span(rows, int(reach_px[0]), shape[0]), span(cols, int(reach_px[1]), shape[1])
