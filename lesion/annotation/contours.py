"""Closed contours on slices -> the outlines of the lesions that they enclose."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float
from skimage.measure import points_in_poly

from lesion.annotation.effort import Effort
from lesion.ct import Place
from lesion.errors import TooLargeError
from lesion.outline import Outline, from_contours

#: Of one entry on one slice: which lie inside which costs the squares of both.
MOST_CONTOURS = 128
MOST_POINTS = 8192
#: Of the hull of one lesion: its longest diameter is looked for among all pairs of them.
MOST_CORNERS = 4096

Contour = Float[np.ndarray, "_ 2"]


def on_largest(
    drawn: Mapping[int, Sequence[Contour]], places: Sequence[Place], effort: Effort
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
        return _enclosed_px(drawn[index], effort) * row_mm * col_mm

    best = max(drawn, key=area_mm2) if len(drawn) > 1 else next(iter(drawn))
    lesions = _together(drawn[best], effort)
    lesions.sort(key=lambda lesion: _enclosed_px(lesion, effort), reverse=True)
    return best, [_outlined(lesion, places[best].shape) for lesion in lesions]


def _outlined(lesion: Sequence[Contour], shape: tuple[int, int]) -> Outline:
    outline = from_contours(lesion, shape=shape)
    corners = 0 if outline.hull_px is None else len(outline.hull_px)
    if corners > MOST_CORNERS:
        raise TooLargeError(
            f"contours: found a hull of {corners} corners, expected at most {MOST_CORNERS}"
        )
    return outline


def _enclosed_px(contours: Sequence[Contour], effort: Effort) -> float:
    """Return the area that contours enclose, holes taken off, in square pixels.

    Where two overlap, and neither holds the other, what they share counts twice.
    """
    low, high = _boxes(contours)
    enclosed = 0.0
    for index, contour in enumerate(contours):
        boxed = ((low <= low[index]) & (high >= high[index])).all(axis=1)
        around = sum(
            bool(_inside(contour, contours[at], effort).all())
            for at in np.flatnonzero(boxed).tolist()
            if at != index
        )
        enclosed += _area_px(contour) * (-1) ** around
    return enclosed


def _together(contours: Sequence[Contour], effort: Effort) -> list[list[Contour]]:
    """Group the contours that overlap."""
    low, high = _boxes(contours)
    lesions: list[list[int]] = []
    for index, contour in enumerate(contours):
        near = ((low <= high[index]) & (high >= low[index])).all(axis=1)
        touched = [
            lesion
            for lesion in lesions
            if any(near[at] and _overlap(contour, contours[at], effort) for at in lesion)
        ]
        lesions = [lesion for lesion in lesions if lesion not in touched]
        lesions.append([index, *(at for lesion in touched for at in lesion)])
    return [[contours[at] for at in lesion] for lesion in lesions]


def _overlap(one: Contour, other: Contour, effort: Effort) -> bool:
    return bool(_inside(one, other, effort).any() or _inside(other, one, effort).any())


def _inside(
    points: Float[np.ndarray, "n 2"], contour: Contour, effort: Effort
) -> Bool[np.ndarray, " n"]:
    """Tell which points lie inside a contour."""
    effort.spend(len(points) * len(contour))
    return np.asarray(points_in_poly(points, contour))


def _boxes(
    contours: Sequence[Contour],
) -> tuple[Float[np.ndarray, "n 2"], Float[np.ndarray, "n 2"]]:
    """Return the lowest and the highest coordinates of each contour."""
    return (
        np.array([contour.min(axis=0) for contour in contours]),
        np.array([contour.max(axis=0) for contour in contours]),
    )


def _area_px(contour: Contour) -> float:
    """Return the area of a simple polygon (Gauss's formula)."""
    x, y = (contour - contour[0]).T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
