"""The portal and hepatic veins: trees of bent tubes through the liver, cut by a slice."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from training.phantom.geometry import Grid

#: A branch divides so that the cubes of the radii add up (Murray, PNAS 1926;12:207).
_MURRAY = 3.0
_SMALLEST_MM = 0.5
_REACH_MM = 70.0


@dataclass(frozen=True, slots=True)
class Root:
    """Where a tree enters the liver: point and direction (x, y, z), radius in mm."""

    point: tuple[float, float, float]
    direction: tuple[float, float, float]
    radius: float


def grow(rng: np.random.Generator, roots: list[Root]) -> Float32[np.ndarray, "n 7"]:
    """Grow the trees: straight pieces, each from (x, y, z) to (x, y, z) with a radius, in mm."""
    pieces: list[list[float]] = []
    for root in roots:
        direction = np.asarray(root.direction) / np.linalg.norm(root.direction)
        tips = [(np.asarray(root.point), direction, root.radius)]
        while tips:
            point, direction, radius = tips.pop()
            length = radius * rng.uniform(4, 8) + rng.uniform(3, 8)
            for _ in range(max(2, round(length / 5))):  # bent: a new direction every 5 mm
                direction = _bend(rng, direction, 0.18)
                end = point + 5 * direction
                pieces.append([*point, *end, radius])
                point = end
            if abs(point[2]) < _REACH_MM:
                tips += _divide(rng, point, direction, radius)
    return np.asarray(pieces, dtype=np.float32)


def _divide(
    rng: np.random.Generator, point: np.ndarray, direction: np.ndarray, radius: float
) -> list[tuple[np.ndarray, np.ndarray, float]]:
    share = rng.uniform(0.3, 0.7)
    children = []
    for part in (share, 1 - share):
        child = radius * part ** (1 / _MURRAY) * 0.97
        if child > _SMALLEST_MM:
            children.append((point, _bend(rng, direction, 0.9 * (1 - part) + 0.15), child))
    return children


def _bend(rng: np.random.Generator, direction: np.ndarray, amount: float) -> np.ndarray:
    bent = direction + amount * rng.normal(size=3)
    return np.asarray(bent / np.linalg.norm(bent))


def paint(
    pieces: Float32[np.ndarray, "n 7"], grid: Grid, heights: Float32[np.ndarray, "k"]
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
    heights: Float32[np.ndarray, "k"],
) -> None:
    start, end, radius = piece[:3], piece[3:6], piece[6]
    middle = (start + end) / 2
    reach = float(np.linalg.norm(end[:2] - start[:2])) / 2 + radius + grid.px
    window = grid.window(middle[0], middle[1], reach)
    near = grid.part(window)
    dx, dy, dz = near.x - start[0], near.y - start[1], (heights - start[2])[:, None, None]
    ax, ay, az = end - start
    t = np.clip((dx * ax + dy * ay + dz * az) / (ax * ax + ay * ay + az * az), 0, 1)
    distance = np.sqrt((dx - t * ax) ** 2 + (dy - t * ay) ** 2 + (dz - t * az) ** 2)
    inside = np.clip(0.5 + (radius - distance) / grid.px, 0, 1).mean(axis=0)
    np.maximum(cover[window], inside, out=cover[window])
