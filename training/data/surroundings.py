"""Normal surroundings: squares of a lesion's own slice in which nothing is marked.

A transplant (`training.mixing`) needs hosts, and of each lesion there is only one. Its slice has
room for more: squares as large as the lesion's, as dense in the middle as the liver around it. No
outline of the liver is asked for, which hardly any cohort has; organs beside it may lie in what is
around, as they do around a lesion. The numbers are judgement: none was tried out on a classifier.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from lesion.errors import CohortError
from lesion.outline import Outline
from lesion.roi import PATCH_SIZE, Variation, cut, side_mm
from training.data.mixing import circle
from training.data.records import CohortLesion

#: Squares that are looked at, at most, for each lesion.
_TRIES = 60
#: How far from the lesion, in sides of its square.
_REACH = (1.0, 4.0)
#: The middle is liver: its median as that around the lesion, and from all but its darkest and
#: brightest twentieth neither fat nor bone, but vessels.
_MEDIAN_HU = 10.0
_DARKEST_HU, _BRIGHTEST_HU = -60.0, 110.0
#: At least half of what is around it is as dense, too, within the noise.
_AROUND_HU = 45.0

Squares = Float32[np.ndarray, "n 64 64"]


def find(
    lesion: CohortLesion, marked: Sequence[Outline], *, most: int, rng: np.random.Generator
) -> Squares:
    """Cut up to `most` squares in HU from a lesion's slice: [n, 64, 64], of the lesion's size.

    They keep clear of all that is `marked` in the slice, which is to hold the lesion itself. Raise
    `CohortError` without a spacing.
    """
    ct, outline, spacing_mm = lesion.ct, lesion.outline, lesion.ct.spacing_mm
    if spacing_mm is None:
        raise CohortError(f"lesion {lesion.lesion_id}: found a slice without spacing")
    to_mm, size_px = np.array(spacing_mm)[::-1], np.array(ct.hu.shape)[::-1]  # as points: x, y
    side = side_mm(outline, spacing_mm)
    taken = [(np.array(one.centre_px), one.extent_mm(spacing_mm) / 2) for one in marked]
    level = float(np.median(cut(ct.hu, spacing_mm, outline)[circle() < 0.5]))
    found: list[np.ndarray] = []
    for _ in range(_TRIES):
        if len(found) == most:
            break
        angle, far_mm = rng.uniform(0, 2 * np.pi), side * rng.uniform(*_REACH)
        shift_px = far_mm * np.array([np.cos(angle), np.sin(angle)]) / to_mm
        centre_px = outline.centre_px + shift_px
        clear = all(
            np.hypot(*((centre_px - other_px) * to_mm)) > side / np.sqrt(2) + radius_mm
            for other_px, radius_mm in taken
        )
        if not clear or (centre_px < 0).any() or (centre_px > size_px).any():
            continue
        shifted = Variation(shift_px=(float(shift_px[0]), float(shift_px[1])))
        square = cut(ct.hu, spacing_mm, outline, variation=shifted)
        if _is_liver(square - level):
            found.append(square)
    return np.array(found, dtype=np.float32).reshape(-1, PATCH_SIZE, PATCH_SIZE)


def _is_liver(hu: np.ndarray) -> bool:
    """Tell whether a square, in HU above the liver, is liver in the middle and mostly around it."""
    inside = circle() > 0.5
    middle, around = hu[inside], hu[~inside]
    darkest, brightest = np.quantile(middle, (0.05, 0.95))
    return bool(
        abs(np.median(middle)) <= _MEDIAN_HU
        and darkest >= _DARKEST_HU
        and brightest <= _BRIGHTEST_HU
        and np.mean(np.abs(around) <= _AROUND_HU) >= 0.5
    )
