"""The portal and hepatic veins: trees of bent tubes through the liver, cut by a slice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantom.geometry import Grid

#: A branch divides so that the cubes of the radii add up (Murray, PNAS 1926;12:207).
_MURRAY = 3.0
#: Thinner branches are lost in the noise.
_SMALLEST_MM = 0.55
_REACH_MM = 60.0
_BENDS = 3


@dataclass(frozen=True, slots=True)
class Root:
    """Where a tree enters the liver: point and direction (x, y, z), radius in mm."""

    point: tuple[float, float, float]
    direction: tuple[float, float, float]
    radius: float


def grow(rng: np.random.Generator, roots: list[Root]) -> Float32[np.ndarray, "n 7"]:
    """Grow the trees: straight pieces, each from (x, y, z) to (x, y, z) with a radius, in mm."""
    point = np.array([root.point for root in roots], dtype=np.float64)
    direction = _bend(rng, np.array([root.direction for root in roots], dtype=np.float64), 0.0)
    radius = np.array([[root.radius] for root in roots], dtype=np.float64)
    pieces: list[np.ndarray] = []
    while len(point):  # one generation of branches after another
        step = (radius * rng.uniform(4, 8, radius.shape) + rng.uniform(3, 8, radius.shape)) / _BENDS
        for _ in range(_BENDS):
            direction = _bend(rng, direction, 0.18)
            end = point + step * direction
            pieces.append(np.hstack([point, end, radius]))
            point = end
        point, direction, radius = _divide(rng, point, direction, radius)
    return np.concatenate(pieces).astype(np.float32)


def _divide(
    rng: np.random.Generator, point: np.ndarray, direction: np.ndarray, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divide every tip in two, the thinner turning off further; drop what is too thin or far."""
    share = rng.uniform(0.3, 0.7, radius.shape)
    part = np.concatenate([share, 1 - share])
    child = 0.97 * np.concatenate([radius, radius]) * part ** (1 / _MURRAY)
    turned = _bend(rng, np.concatenate([direction, direction]), 0.9 * (1 - part) + 0.15)
    start = np.concatenate([point, point])
    kept = (child[:, 0] > _SMALLEST_MM) & (np.abs(start[:, 2]) < _REACH_MM)
    return start[kept], turned[kept], child[kept]


def _bend(
    rng: np.random.Generator, direction: np.ndarray, amount: float | np.ndarray
) -> np.ndarray:
    bent = direction + amount * rng.normal(size=direction.shape)
    return np.asarray(bent / np.linalg.norm(bent, axis=1, keepdims=True))


def paint(
    pieces: Float32[np.ndarray, "n 7"], grid: Grid, heights: Float32[np.ndarray, " k"]
) -> Float32[np.ndarray, "rows cols"]:
    """Return how much of each pixel the tubes cover in a slab of those heights, 0..1."""
    cover = np.zeros((grid.y.shape[0], grid.x.shape[1]), dtype=np.float32)
    radius = pieces[:, 6]
    low = np.minimum(pieces[:, 2], pieces[:, 5]) - radius
    high = np.maximum(pieces[:, 2], pieces[:, 5]) + radius
    for piece in pieces[(high > heights[0]) & (low < heights[-1])]:
        _paint_piece(cover, piece, grid, heights)
    return cover


def _paint_piece(
    cover: Float32[np.ndarray, "rows cols"],
    piece: Float32[np.ndarray, "7"],
    grid: Grid,
    heights: Float32[np.ndarray, " k"],
) -> None:
    start, end, radius = piece[:3], piece[3:6], piece[6]
    middle = (start + end) / 2
    reach = float(np.linalg.norm(end[:2] - start[:2]) / 2 + radius) + grid.px
    window = grid.window(float(middle[0]), float(middle[1]), reach)
    near = grid.part(window)
    dx, dy, dz = near.x - start[0], near.y - start[1], (heights - start[2])[:, None, None]
    ax, ay, az = end - start
    t = np.clip((dx * ax + dy * ay + dz * az) / (ax * ax + ay * ay + az * az), 0, 1)
    distance = np.sqrt((dx - t * ax) ** 2 + (dy - t * ay) ** 2 + (dz - t * az) ** 2)
    inside = np.clip(0.5 + (radius - distance) / grid.px, 0, 1).mean(axis=0)
    np.maximum(cover[window], inside, out=cover[window])
