"""A lesion's outline on its slice, from a box, a polygon or a mask.

Coordinates are those of `lesion.roi`: x to the right, y down, (0, 0) the outer corner of the first
pixel. A box or polygon is the lesion itself, tight; the margin is ours to add.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist
from skimage.measure import label

from lesion.errors import (
    MaskSizeError,
    OutlineCrossingError,
    OutlineError,
    OutlineNotFiniteError,
    OutlineOutsideError,
    OutlineTooSmallError,
    TooLargeError,
)

#: A lesion of fewer pixels a side cannot be told from noise; the smallest of the paper (10 mm)
#: spans ten or more.
SMALLEST_PX = 2.0

#: Longest diameters of the paper's lesions, smallest and largest, in mm (2.1).
DIAMETER_RANGE_MM = (10.0, 102.0)

#: Bounds on what one request may cost: a hand or an algorithm draws far fewer.
MOST_POINTS = 2048
MOST_REGIONS = 1024


@dataclass(frozen=True, slots=True)
class Outline:
    """Where a lesion lies: its tight bounding box in pixels, and what its diameter is measured by.

    `hull_px` holds the (x, y) corners that a longest diameter can join, float64 [n, 2]; None for a
    box, which knows no more than its sides. For whoever draws it (`lesion.contour`), `corners_px`
    holds those of a polygon, in order, and `runs` the pixels of a mask's region: for each run of
    them its row, first and last column.
    """

    x0: float
    y0: float
    x1: float
    y1: float
    hull_px: Float[np.ndarray, "n 2"] | None = None
    corners_px: Float[np.ndarray, "m 2"] | None = None
    runs: Int[np.ndarray, "runs 3"] | None = None

    @property
    def centre_px(self) -> tuple[float, float]:
        """The middle (x, y) of the bounding box."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def extent_mm(self, spacing_mm: tuple[float, float]) -> float:
        """Return the larger side of the bounding box in mm."""
        row_mm, col_mm = spacing_mm
        return max((self.x1 - self.x0) * col_mm, (self.y1 - self.y0) * row_mm)

    def diameter_mm(self, spacing_mm: tuple[float, float]) -> float:
        """Return the longest diameter in mm between any two points; of a box, its larger side."""
        if self.hull_px is None:
            return self.extent_mm(spacing_mm)
        row_mm, col_mm = spacing_mm
        return float(pdist(self.hull_px * [col_mm, row_mm]).max())


def from_box(x0: float, y0: float, x1: float, y1: float, *, shape: tuple[int, int]) -> Outline:
    """Read a box [x0, x1) x [y0, y1).

    Raise an `OutlineError` unless it is finite, inside the image and at least 2 px a side.
    """
    _check_finite([x0, y0, x1, y1])
    if x1 <= x0 or y1 <= y0:
        raise OutlineTooSmallError(
            f"box: found x0={x0:g} x1={x1:g} y0={y0:g} y1={y1:g}, expected x0 < x1 and y0 < y1"
        )
    return _checked(Outline(float(x0), float(y0), float(x1), float(y1)), shape)


def from_polygon(points: Sequence[Sequence[float]], *, shape: tuple[int, int]) -> Outline:
    """Read a closed polygon of (x, y) points; the last point may repeat the first.

    Raise `TooLargeError` for more than `MOST_POINTS`, an `OutlineError` if it cannot be a lesion.
    """
    if len(points) > MOST_POINTS:
        raise TooLargeError(f"polygon: found {len(points)} points, expected at most {MOST_POINTS}")
    corners = np.asarray(points, dtype=np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2:
        raise OutlineTooSmallError(
            f"polygon: found an array of shape {list(corners.shape)}, expected points [n, 2]"
        )
    _check_finite(corners)
    if len(corners) > 1 and np.array_equal(corners[0], corners[-1]):
        corners = corners[:-1]
    if len(corners) < 3:
        raise OutlineTooSmallError(
            f"polygon: found {len(corners)} distinct points, expected at least 3"
        )
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    outline = _checked(
        Outline(float(x0), float(y0), float(x1), float(y1), _hull(corners), corners), shape
    )
    if _crosses_itself(corners):
        raise OutlineCrossingError(
            f"polygon of {len(corners)} points: its edges cross, expected a simple polygon"
        )
    return outline


def from_contours(
    contours: Sequence[Float[np.ndarray, "_ 2"]], *, shape: tuple[int, int]
) -> Outline:
    """Read closed contours of (x, y) points that enclose one lesion together.

    They may cross, as what a program computed does here and there: extent and diameter stay right.
    What is drawn is the contour around all others or, where there is none, the hull of all.
    Raise an `OutlineError` if they cannot be a lesion.
    """
    corners = np.concatenate(contours)
    _check_finite(corners)
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    hull = _hull(corners)
    around = max(contours, key=lambda contour: float(np.ptp(contour, axis=0).prod()))
    drawn = around if np.array_equal(np.ptp(around, axis=0), [x1 - x0, y1 - y0]) else hull
    return _checked(Outline(float(x0), float(y0), float(x1), float(y1), hull, drawn), shape)


def from_mask(
    mask: Bool[np.ndarray, "h w"], *, shape: tuple[int, int], most: int = MOST_REGIONS
) -> list[Outline]:
    """Read a mask of the slice's size: one outline for each 8-connected region, largest first.

    Specks of fewer than 2 px a side, which thresholds and brushes leave beside a lesion, are passed
    over as long as another region is left.

    Raise `TooLargeError` for more than `MOST_REGIONS` with the specks or `most` without them, an
    `OutlineError` if none can be a lesion.
    """
    (found,) = from_masks([mask], shape=shape, most=most)
    if isinstance(found, OutlineError):
        raise found
    return found


def from_masks(
    masks: Sequence[Bool[np.ndarray, "h w"]], *, shape: tuple[int, int], most: int = MOST_REGIONS
) -> list[list[Outline] | OutlineError]:
    """Read several masks as `from_mask` reads each; `most` bounds all together.

    In place of the outlines of a mask that cannot be a lesion, return the error that says why.
    """
    regions: list[list[Int[np.ndarray, "runs 3"]]] = []
    found = 0
    for mask in masks:
        regions.append(_regions(mask, shape))
        found += len(regions[-1])
        # Before any is outlined: a hull takes longer than finding its region.
        if found > most:
            raise TooLargeError(f"outlines: found {found} lesions or more, expected at most {most}")
    return [_outlines(of_one, shape) for of_one in regions]


def _outlines(
    regions: Sequence[Int[np.ndarray, "_ 3"]], shape: tuple[int, int]
) -> list[Outline] | OutlineError:
    try:
        return [_checked(_from_runs(runs), shape) for runs in regions]
    except OutlineError as error:
        return error


def _regions(
    mask: Bool[np.ndarray, "h w"], shape: tuple[int, int]
) -> list[Int[np.ndarray, "runs 3"]]:
    """Find the regions that may be lesions, largest first: the runs of each one's pixels."""
    if mask.shape != tuple(shape):
        raise MaskSizeError(
            f"mask: found {mask.shape[0]}x{mask.shape[1]} pixels, "
            f"expected {shape[0]}x{shape[1]} as the image"
        )
    labels, count = label(mask, connectivity=2, return_num=True)
    if count == 0:
        raise OutlineTooSmallError("mask: found no marked pixel, expected a lesion")
    if count > MOST_REGIONS:
        raise TooLargeError(f"mask: found {count} regions, expected at most {MOST_REGIONS}")
    regions = _runs(labels, count)
    # Largest first: row by row, so that no region costs the pixels of its bounding box.
    sizes = np.bincount(labels.ravel())[1:]
    regions = [regions[i] for i in np.argsort(-sizes, kind="stable")]
    sides = [min(np.ptp(runs[:, 0]), np.ptp(runs[:, 1:])) + 1 for runs in regions]
    large = [runs for runs, side in zip(regions, sides, strict=True) if side >= SMALLEST_PX]
    return large or regions[:1]


def _runs(labels: Int[np.ndarray, "h w"], count: int) -> list[Int[np.ndarray, "runs 3"]]:
    """Return each region's runs of pixels, row by row: the row, the first column and the last.

    In time and memory that grow with the image, not with the regions.
    """
    inside = np.pad(labels > 0, ((0, 0), (1, 1)))
    row, first = np.nonzero(inside[:, 1:] & ~inside[:, :-1])
    last = np.nonzero(inside[:, :-1] & ~inside[:, 1:])[1] - 1
    region = labels[row, first].astype(np.uint16)  # which sorts in linear time
    order = np.argsort(region, kind="stable")
    runs = np.stack([row[order], first[order], last[order]], axis=1)
    return np.split(runs, np.searchsorted(region[order], np.arange(2, count + 1)))


def _from_runs(runs: Int[np.ndarray, "runs 3"]) -> Outline:
    """Outline a region by the outer corners of the first and the last pixel in each of its rows."""
    begins = np.flatnonzero(np.diff(runs[:, 0], prepend=-1))
    ends = np.append(begins[1:], len(runs)) - 1
    rows, first, last = runs[begins, 0], runs[begins, 1], runs[ends, 2] + 1
    corners = np.concatenate(
        [np.stack([x, y], axis=1) for x in (first, last) for y in (rows, rows + 1)]
    ).astype(np.float64)
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    return Outline(float(x0), float(y0), float(x1), float(y1), _hull(corners), runs=runs)


def _check_finite(values: Sequence[float] | np.ndarray) -> None:
    if not np.isfinite(np.asarray(values, dtype=np.float64)).all():
        raise OutlineNotFiniteError(
            "outline: found NaN or infinite coordinates, expected finite numbers of pixels"
        )


def _checked(outline: Outline, shape: tuple[int, int]) -> Outline:
    rows, cols = shape
    found = f"found x {outline.x0:g}..{outline.x1:g}, y {outline.y0:g}..{outline.y1:g}"
    if outline.x0 < 0 or outline.y0 < 0 or outline.x1 > cols or outline.y1 > rows:
        raise OutlineOutsideError(f"outline: {found}, expected within x 0..{cols}, y 0..{rows}")
    if min(outline.x1 - outline.x0, outline.y1 - outline.y0) < SMALLEST_PX:
        raise OutlineTooSmallError(
            f"outline: {found}, expected at least {SMALLEST_PX:g} pixels a side"
        )
    return outline


def _hull(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """Keep only the corners that a longest diameter can join."""
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError as error:
        raise OutlineTooSmallError(
            f"outline: found {len(points)} points on a line, expected an area"
        ) from error


def _crosses_itself(corners: Float[np.ndarray, "n 2"]) -> bool:
    """Tell whether any two edges that are not neighbours cross, one edge against all later ones."""
    ends = np.roll(corners, -1, axis=0)
    n = len(corners)
    for i in range(n - 2):
        # The first edge and the last are neighbours too.
        others = slice(i + 2, n if i else n - 1)
        c, d = corners[others], ends[others]
        if np.any(
            (_side(corners[i], ends[i], c) * _side(corners[i], ends[i], d) < 0)
            & (_side(c, d, corners[i]) * _side(c, d, ends[i]) < 0)
        ):
            return True
    return False


def _side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> Float[np.ndarray, " n"]:
    """Tell on which side (-1, 0, 1) of the lines from p to q the points r lie."""
    along, across = q - p, r - p
    cross = along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0]
    return np.asarray(np.sign(cross))
