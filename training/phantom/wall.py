"""The wall of the trunk: skin, fat, muscle and ribs, and the lung's recess behind the liver.

Outlines are tables of a radius, in mm from the middle of the slice, for every degree.
"""

import numpy as np
from jaxtyping import Float32

ANGLES = np.linspace(-np.pi, np.pi, 361, dtype=np.float32)

Table = Float32[np.ndarray, "361"]


def draw_wobble(rng: np.random.Generator) -> Table:
    """Draw a smooth periodic deviation of an outline, standard deviation about one half."""
    total = np.zeros_like(ANGLES)
    for order in range(2, 7):
        phase = np.float32(rng.uniform(0, 2 * np.pi))
        total += np.float32(rng.normal() / order) * np.cos(order * ANGLES + phase)
    return np.asarray(total, dtype=np.float32)


def draw_ribs(rng: np.random.Generator) -> Float32[np.ndarray, "n 4"]:
    """Draw five or six obliquely cut ribs a side.

    Direction, half length, half thickness in mm, HU of the marrow.
    """
    ribs = []
    for side in (-1, 1):
        count = rng.integers(5, 7)
        for at in np.linspace(0.28, 0.86, count) + rng.normal(0, 0.015, count):
            angle = np.pi / 2 - side * np.pi * at  # from the back, over the side, to the front
            angle = (angle + np.pi) % (2 * np.pi) - np.pi
            ribs.append([angle, rng.uniform(6, 11), rng.uniform(3, 4.2), rng.normal(170, 30)])
    return np.asarray(ribs, dtype=np.float32)


def outlines(
    body_mm: tuple[float, float],
    fat_mm: float,
    wall_mm: float,
    wobble: Float32[np.ndarray, "3 361"],
) -> Float32[np.ndarray, "3 361"]:
    """Return the outlines of skin, of the muscle under the fat, and of the cavity within."""
    a, b = body_mm
    c, s = np.abs(np.cos(ANGLES)), np.abs(np.sin(ANGLES))
    # A little squarer than an ellipse, as the back lies flat.
    skin = ((c / a) ** 2.35 + (s / b) ** 2.35) ** (-1 / 2.35) + wobble[0] * 1.5
    behind = np.maximum(np.sin(ANGLES), 0)
    # Fat lies thickest at the flanks, and thin over the spine's muscles.
    muscle = skin - fat_mm * (1 + 0.25 * c - 0.45 * behind**6) - wobble[1] * 0.12 * fat_mm
    cavity = muscle - wall_mm * (1 + 0.9 * behind**6) - wobble[2] * 0.7
    return np.stack([skin, muscle, cavity]).astype(np.float32)


def recess(depth_mm: float, wobble: Table) -> Table:
    """Return how deep the lung reaches below the diaphragm: most at the sides of the back."""
    behind = np.exp(-(((np.abs(ANGLES - np.pi / 2) - 0.75) / 0.55) ** 2))
    return np.asarray(depth_mm * behind * (1 + 0.15 * wobble) - 0.8, dtype=np.float32)


def look_up(
    tables: Float32[np.ndarray, "n 361"], theta: Float32[np.ndarray, "rows cols"]
) -> Float32[np.ndarray, "n rows cols"]:
    """Return the radius of each outline in every direction."""
    at = (theta + np.float32(np.pi)) * np.float32(180 / np.pi)
    low = np.minimum(at.astype(np.int32), 359)
    part = at - low.astype(np.float32)
    steps = np.diff(tables, axis=1)
    return np.stack([t.take(low) + s.take(low) * part for t, s in zip(tables, steps, strict=True)])
