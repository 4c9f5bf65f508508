"""Closed contours on a slice -> the outlines of the lesions that they enclose."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from skimage.measure import points_in_poly

from lesion.errors import TooLargeError
from lesion.outline import Outline, from_contours

#: Of all contours of one entry on one slice: which lie inside which costs their square.
MOST_POINTS = 8192

Contour = Float[np.ndarray, "_ 2"]


def outlines(contours: Sequence[Contour], *, shape: tuple[int, int]) -> list[Outline]:
    """Outline the lesions that contours [n, 2] of (x, y) pixels enclose, largest first.

    Contours that overlap are of one lesion: one inside another is a hole in it.
    """
    points = sum(map(len, contours))
    if points > MOST_POINTS:
        raise TooLargeError(
            f"contours: found {points} points on the slice, expected at most {MOST_POINTS}"
        )
    lesions = _together(contours)
    lesions.sort(key=area_px, reverse=True)
    return [from_contours(lesion, shape=shape) for lesion in lesions]


def area_px(contours: Sequence[Contour]) -> float:
    """Return the area that contours enclose, holes taken off, in square pixels.

    Where two overlap, and neither holds the other, what they share counts twice.
    """
    enclosed = 0.0
    for index, contour in enumerate(contours):
        around = sum(
            bool(points_in_poly(contour, other).all())
            for at, other in enumerate(contours)
            if at != index
        )
        enclosed += _area_px(contour) * (-1) ** around
    return enclosed


def _together(contours: Sequence[Contour]) -> list[list[Contour]]:
    """Group the contours that overlap."""
    lesions: list[list[Contour]] = []
    for contour in contours:
        touched = [lesion for lesion in lesions if any(_overlap(contour, one) for one in lesion)]
        lesions = [lesion for lesion in lesions if not any(lesion is one for one in touched)]
        lesions.append([contour, *(one for lesion in touched for one in lesion)])
    return lesions


def _overlap(one: Contour, other: Contour) -> bool:
    if (one.max(axis=0) < other.min(axis=0)).any() or (other.max(axis=0) < one.min(axis=0)).any():
        return False
    return _inside(one, other) or _inside(other, one)


def _inside(points: Contour, contour: Contour) -> bool:
    return bool(points_in_poly(points, contour).any())


def _area_px(contour: Contour) -> float:
    """Return the area of a simple polygon (Gauss's formula)."""
    x, y = (contour - contour[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
