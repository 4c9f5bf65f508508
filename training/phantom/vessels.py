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


def downstream(pieces: Float32[np.ndarray, "n 7"]) -> Float32[np.ndarray, "m 7"]:
    """Return the trees that begin where the first one does: of the liver's, the portal vein's."""
    reached = {pieces[0, :3].tobytes()}
    kept = []
    for piece in pieces:  # parents stand before their children
        if piece[:3].tobytes() in reached:
            reached.add(piece[3:6].tobytes())
            kept.append(piece)
    return np.stack(kept)


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
    low, high = np.sort(pieces[:, [2, 5]], axis=1).T
    radius = pieces[:, 6]
    met = pieces[(high + radius > heights[0]) & (low - radius < heights[-1])]
    middle = (met[:, :2] + met[:, 3:5]) / 2
    reach = np.linalg.norm(met[:, 3:5] - met[:, :2], axis=1) / 2 + met[:, 6] + grid.px
    left, right = np.searchsorted(grid.x[0], [middle[:, 0] - reach, middle[:, 0] + reach])
    top, bottom = np.searchsorted(grid.y[:, 0], [middle[:, 1] - reach, middle[:, 1] + reach])
    for piece, x0, x1, y0, y1 in zip(met, left, right, top, bottom, strict=True):
        near = cover[y0:y1, x0:x1]
        distance = _to_piece(piece, grid.x[:, x0:x1], grid.y[y0:y1], heights)
        inside = np.clip(0.5 + (piece[6] - distance) / np.float32(grid.px), 0, 1)
        np.maximum(near, inside.mean(axis=0), out=near)
    return cover


def _to_piece(
    piece: Float32[np.ndarray, "7"],
    x: Float32[np.ndarray, "1 cols"],
    y: Float32[np.ndarray, "rows 1"],
    heights: Float32[np.ndarray, " k"],
) -> Float32[np.ndarray, "k rows cols"]:
    """Return the distance in mm of every pixel at every height to a piece's middle line."""
    ax, ay, az = along = piece[3:6] - piece[:3]
    dx, dy, dz = x - piece[0], y - piece[1], (heights - piece[2])[:, None, None]
    t = np.clip((dx * ax + dy * ay + dz * az) / (along @ along), 0, 1)
    return np.asarray(np.sqrt((dx - t * ax) ** 2 + (dy - t * ay) ** 2 + (dz - t * az) ** 2))
