"""Closed contours on slices -> the outlines of the lesions that they enclose."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from skimage.measure import points_in_poly

from lesion.ct import Place
from lesion.errors import TooLargeError
from lesion.outline import Outline, from_contours

#: Of one entry on one slice: which lie inside which costs the squares of both.
MOST_CONTOURS = 128
MOST_POINTS = 8192

Contour = Float[np.ndarray, "_ 2"]


def on_largest(
    drawn: Mapping[int, Sequence[Contour]], places: Sequence[Place]
) -> tuple[int, list[Outline]]:
    """Outline the lesions on the slice of which contours enclose most, largest first.

    `drawn` maps the index of a place to its contours [n, 2] of (x, y) pixels. Contours that overlap
    are of one lesion: one inside another is a hole in it. Raise `TooLargeError` for more contours
    or points than anybody draws.
    """
    for contours in drawn.values():
        points = sum(map(len, contours))
        if len(contours) > MOST_CONTOURS or points > MOST_POINTS:
            raise TooLargeError(
                f"contours: found {len(contours)} of {points} points on a slice, "
                f"expected at most {MOST_CONTOURS} and {MOST_POINTS}"
            )

    def area_mm2(index: int) -> float:
        row_mm, col_mm = places[index].spacing_mm or (1.0, 1.0)
        return area_px(drawn[index]) * row_mm * col_mm

    best = max(drawn, key=area_mm2) if len(drawn) > 1 else next(iter(drawn))
    lesions = sorted(_together(drawn[best]), key=area_px, reverse=True)
    return best, [from_contours(lesion, shape=places[best].shape) for lesion in lesions]


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
    return bool(points_in_poly(one, other).any() or points_in_poly(other, one).any())


def _area_px(contour: Contour) -> float:
    """Return the area of a simple polygon (Gauss's formula)."""
    x, y = (contour - contour[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
