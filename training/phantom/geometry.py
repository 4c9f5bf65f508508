"""Shapes as signed distances, and how much of a pixel they cover.

Lengths are in mm from the middle of the slice: x to the right, y down, z towards the head.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

#: Every slice is a 512x512 matrix, as any CT scanner's.
MATRIX = 512

#: The distance in mm to what is not there.
FAR = 1e3

Points = Float32[np.ndarray, "3 *shape"]
Field = Float32[np.ndarray, "*shape"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixel centres of a slice, or of a part of one.

    `x` is [1, cols] and `y` [rows, 1], in mm; `px` is the pixel's side in mm.
    """

    x: Float32[np.ndarray, "1 cols"]
    y: Float32[np.ndarray, "rows 1"]
    px: float

    def window(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """Return the rows and columns within `reach` mm of a point; empty outside the grid."""

        def span(axis: np.ndarray, at: float) -> slice:
            start, stop = np.searchsorted(axis, [at - reach, at + reach])
            return slice(int(start), int(stop))

        return span(self.y[:, 0], y), span(self.x[0], x)

    def part(self, window: tuple[slice, slice]) -> "Grid":
        """Return the grid of a window."""
        rows, cols = window
        return Grid(self.x[:, cols], self.y[rows], self.px)


def slice_grid(px: float) -> Grid:
    """Return the grid of a whole slice of `px` mm pixels."""
    axis = ((np.arange(MATRIX) - (MATRIX - 1) / 2) * px).astype(np.float32)
    return Grid(axis[None], axis[:, None], px)


def coverage(distance: Field, width: float) -> Field:
    """Return the share (0..1) of each pixel that lies inside a shape.

    `distance` is signed, to the shape's edge and negative inside; `width` is that over which the
    edge runs from inside to outside. Both are in mm.
    """
    return np.clip(0.5 - distance / width, 0.0, 1.0)


def smooth(ramp: Field) -> Field:
    """Round off the ends of a ramp 0..1."""
    return ramp * ramp * (3.0 - 2.0 * ramp)


def ellipse(
    grid: Grid, centre: tuple[float, float], radii: tuple[float, float], angle: float = 0.0
) -> Float32[np.ndarray, "rows cols"]:
    """Return the signed distance (near the edge) to an ellipse turned by `angle` radians.

    Further than 15 mm beyond it, `FAR`: nothing looks there.
    """
    distance = np.full((grid.y.shape[0], grid.x.shape[1]), FAR, dtype=np.float32)
    window = grid.window(*centre, max(radii) + 15)
    near = grid.part(window)
    dx, dy = near.x - np.float32(centre[0]), near.y - np.float32(centre[1])
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    u2 = ((c * dx + s * dy) / np.float32(radii[0])) ** 2
    v2 = ((c * dy - s * dx) / np.float32(radii[1])) ** 2
    r = np.sqrt(u2 + v2)
    slope = np.sqrt(u2 / np.float32(radii[0] ** 2) + v2 / np.float32(radii[1] ** 2))
    distance[window] = (r - 1) * r / np.maximum(slope, np.float32(1e-6))
    return distance


@dataclass(frozen=True, slots=True)
class Waves:
    """A smooth random field: a sum of plane waves, standard deviation one."""

    direction: Float32[np.ndarray, "n 3"]
    phase: Float32[np.ndarray, " n"]

    def __call__(self, points: Points) -> Field:
        """Return the field at the points."""
        total = np.zeros(points.shape[1:], dtype=np.float32)
        for direction, phase in zip(self.direction, self.phase, strict=True):
            total += np.sin(sum(k * p for k, p in zip(direction, points, strict=True)) + phase)
        return total * np.float32(np.sqrt(2.0 / len(self.phase)))


def draw_waves(rng: np.random.Generator, *, count: int, wavelength: tuple[float, float]) -> Waves:
    """Draw a field whose wavelengths lie in a range, in the units of its points."""
    direction = rng.normal(size=(count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    number = 2 * np.pi / rng.uniform(*wavelength, size=(count, 1))
    return Waves(
        (direction * number).astype(np.float32),
        rng.uniform(0, 2 * np.pi, size=count).astype(np.float32),
    )


def draw_balls(
    rng: np.random.Generator,
    count: tuple[int, int],
    *,
    reach: tuple[float, float],
    size: tuple[float, float],
) -> Float32[np.ndarray, "n 4"]:
    """Draw balls anywhere within a range of radii: (x, y, z, size) each."""
    return np.asarray(
        [
            [*(draw_direction(rng, flat=0.5) * rng.uniform(*reach)), rng.uniform(*size)]
            for _ in range(rng.integers(*count))
        ],
        dtype=np.float32,
    )


def to_balls(points: Points, balls: Float32[np.ndarray, "n 4"]) -> Field:
    """Return the signed distance to the nearest of the balls (x, y, z, size)."""
    nearest = np.full(points.shape[1:], np.inf, dtype=np.float32)
    for ball in balls:
        np.minimum(nearest, length(points - column(ball[:3], points)) - ball[3], out=nearest)
    return nearest


def length(points: Points) -> Field:
    """Return each point's distance from the origin."""
    x, y, z = points
    return np.asarray(np.sqrt(x * x + y * y + z * z))


def column(vector: np.ndarray, points: Points) -> Float32[np.ndarray, "3 ..."]:
    """Shape a vector so that it can be taken from points."""
    return np.asarray(vector, dtype=np.float32).reshape(3, *[1] * (points.ndim - 1))


def draw_direction(rng: np.random.Generator, *, flat: float) -> np.ndarray:
    """Draw a direction; `flat` below one leans it towards the slice's plane."""
    vector = rng.normal(size=3) * (1, 1, flat)
    return np.asarray(vector / np.linalg.norm(vector))
