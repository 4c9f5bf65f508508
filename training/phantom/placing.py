"""Where a lesion lies in its slice, and what of it the slice shows."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from skimage.measure import label

from lesion import outline
from lesion.outline import DIAMETER_RANGE_MM, Outline
from training.phantom import scanner
from training.phantom.anatomy import Painted
from training.phantom.classes import LesionClass
from training.phantom.geometry import Field, Grid, Points, coverage
from training.phantom.lesions import Body, Host, draw_body
from training.phantom.scanner import Scan

#: Median diameters in mm and their spread (sd of the logarithm): 10-102 mm, skewed to small (paper
#: 2.1 gives the range; incidental cysts and hemangiomas are mostly below 30 mm).
MEDIAN_MM = {LesionClass.CYST: 22.0, LesionClass.METASTASIS: 24.0, LesionClass.HEMANGIOMA: 27.0}
_SPREAD = 0.55

#: How far from round (sd of the logarithm of the axes): cysts are the roundest.
STRETCH = {LesionClass.CYST: 0.09, LesionClass.METASTASIS: 0.13, LesionClass.HEMANGIOMA: 0.15}

#: "In interior sections of the liver or near its boundary" (paper 2.1).
_NEAR_EDGE = 0.45
#: A body reaches no further than this many radii from its middle.
_REACH = 1.5
_TRIES = 60


@dataclass(frozen=True, slots=True)
class Placed:
    """A lesion in a window of its slice.

    `cover` is how much (0..1) of each pixel of the window the lesion takes, `hu` its attenuation
    there. `mask` and `outline` are what the radiologist marks on the whole slice.
    """

    window: tuple[slice, slice]
    cover: Float32[np.ndarray, "rows cols"]
    hu: Float32[np.ndarray, "rows cols"]
    mask: Bool[np.ndarray, "512 512"]
    outline: Outline


@dataclass(frozen=True, slots=True)
class Room:
    """The slice that lesions are put into; `taken` marks where others lie already."""

    grid: Grid
    painted: Painted
    scan: Scan
    taken: Bool[np.ndarray, "512 512"]


def place(
    rng: np.random.Generator, lesion_class: LesionClass, room: Room, *, hu: tuple[float, float]
) -> Placed | None:
    """Draw a lesion and find it a place; None where the slice has no room for it.

    `hu` is the attenuation of liver and vessels. What finds no room is drawn again, smaller.
    """
    return find_place(
        rng,
        lambda radius_mm: draw_body(rng, lesion_class, Host(*hu, radius_mm)),
        room,
        median_mm=MEDIAN_MM[lesion_class],
        stretch=STRETCH[lesion_class],
    )


def find_place(
    rng: np.random.Generator,
    draw: Callable[[float], Body],
    room: Room,
    *,
    median_mm: float,
    stretch: float,
) -> Placed | None:
    """Place a body that `draw` draws for a radius in mm; see `place`.

    Diameters have that median; the axes' lengths spread by `stretch` (sd of the log).
    """
    diameter = float(np.clip(rng.lognormal(np.log(median_mm), _SPREAD), 10.5, 100.0))
    for _ in range(_TRIES):
        body = _turned(rng, draw(diameter / 2), stretch=stretch)
        placed = _put(rng, body, room, radius=diameter / 2)
        if placed is not None:
            return placed
        diameter = max(diameter * 0.93, 11.0)
    return None


def _put(rng: np.random.Generator, body: Body, room: Room, *, radius: float) -> Placed | None:
    grid = room.grid
    at = _choose(rng, room.painted.liver_distance, grid, radius=radius)
    if at is None:
        return None
    window = grid.window(*at, _REACH * radius + 2)
    slab = scanner.slab_mm(room.scan.thickness_mm)
    cover, hu = _cut(rng, body, grid.part(window), slab, at=at, radius=radius)
    whole = cover.sum()
    # Lesions stay in the abdomen and bulge a little beyond the liver's edge at most.
    bulge = np.float32(rng.uniform(0.0, 0.25) * radius)
    cover = cover * room.painted.cavity[window]
    cover *= coverage(room.painted.liver_distance[window] - bulge, 2.0)
    if cover.sum() < 0.7 * whole or (room.taken[window] & (cover > 0.01)).any():
        return None
    # A radiologist draws an ill-defined margin now tighter, now wider.
    marked = _largest(cover > rng.uniform(0.35, 0.6))
    mask = np.zeros(room.taken.shape, dtype=bool)
    mask[window] = marked
    edge = _outline(mask, grid.px)
    return None if edge is None else Placed(window, cover, hu, mask, edge)


def _choose(
    rng: np.random.Generator,
    liver_distance: Float32[np.ndarray, "512 512"],
    grid: Grid,
    *,
    radius: float,
) -> tuple[float, float] | None:
    """Choose the middle: against the liver's edge, or well inside it."""
    coarse = liver_distance[::4, ::4]
    low, high = (0.75, 1.1) if rng.random() < _NEAR_EDGE else (1.15, np.inf)
    rows, cols = np.nonzero((coarse < -low * radius) & (coarse > -high * radius))
    if not len(rows):
        return None
    pick = rng.integers(len(rows))
    shift = rng.uniform(-2, 2, size=2) * grid.px
    return (
        float(grid.x[0, 4 * cols[pick]] + shift[0]),
        float(grid.y[4 * rows[pick], 0] + shift[1]),
    )


def _turned(rng: np.random.Generator, body: Body, *, stretch: float) -> Body:
    """Stretch a body along axes of its own, whose lengths spread by `stretch` (sd of the log)."""
    axes = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    lengths = np.exp(rng.normal(0, stretch, size=3))
    matrix = ((axes / lengths) @ axes.T).astype(np.float32)

    def turned(points: Points, pixel: float) -> tuple[Field, Field]:
        x, y, z = points
        return body(np.stack([row[0] * x + row[1] * y + row[2] * z for row in matrix]), pixel)

    return turned


def _cut(
    rng: np.random.Generator,
    body: Body,
    grid: Grid,
    slab: Float32[np.ndarray, " k"],
    *,
    at: tuple[float, float],
    radius: float,
) -> tuple[Float32[np.ndarray, "rows cols"], Float32[np.ndarray, "rows cols"]]:
    """Cut the body at a random height, averaged over the slice's thickness: coverage and HU."""
    height = rng.uniform(-0.75, 0.75)
    whole = np.float32(radius / np.sqrt(1 - height**2))  # so that what is seen has that radius
    x, y = (grid.x - np.float32(at[0])) / whole, (grid.y - np.float32(at[1])) / whole
    z = slab[:, None, None] / whole + np.float32(height)
    covers, hus = body(np.stack(np.broadcast_arrays(x, y, z)), grid.px / float(whole))
    cover = covers.mean(axis=0)
    return cover, (covers * hus).mean(axis=0) / np.maximum(cover, np.float32(1e-6))


def _largest(mask: Bool[np.ndarray, "rows cols"]) -> Bool[np.ndarray, "rows cols"]:
    regions = label(mask, connectivity=2)
    if not regions.any():
        return mask
    return np.asarray(regions == np.bincount(regions.ravel())[1:].argmax() + 1)


def _outline(mask: Bool[np.ndarray, "512 512"], px: float) -> Outline | None:
    """Return the outline that a reader of the mask finds; None beyond the paper's sizes."""
    if not mask.any():
        return None
    found = outline.from_mask(mask, shape=mask.shape)[0]
    smallest, largest = DIAMETER_RANGE_MM
    return found if smallest <= found.diameter_mm((px, px)) <= largest else None
