"""Of which slices a reference is, or a point of the patient.

An image may hold thousands of slices and an annotation refer to each of them a thousand times. So
slices are looked up, never gone through.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lesion.annotation.effort import Effort
from lesion.ct import Place, Plane
from lesion.errors import AnnotationError
from lesion.image.part10 import several

#: How far off a slice, in mm, coordinates of the patient may lie and be of it: half the thinnest
#: slice of a CT.
OFF_PLANE_MM = 0.25

#: Points that are held against all slices at once, and what one of them takes with one slice.
_POINTS = 256
_STEPS = 4


class References:
    """The slices by what refers to them: an image's UID and, in a multi-frame one, a number."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._of: dict[str, dict[int | None, list[int]]] = {}
        for index, place in enumerate(places):
            if uid := place.identity.sop_instance_uid:
                frames = self._of.setdefault(uid, {})
                frames.setdefault(place.identity.frame_number, []).append(index)

    def slices(self, images: Iterable[Mapping[str, Any]]) -> Int[np.ndarray, " m"]:
        """Return the indices of the slices that references are to, in order.

        One without frames is to all of its image.
        """
        found: set[int] = set()
        known: set[str] = set()  # whose slices are found, all of them
        for image in images:
            uid = str(image.get("ReferencedSOPInstanceUID") or "")
            if uid in known:
                continue
            frames = self._of.get(uid, {})
            numbers = several(image.get("ReferencedFrameNumber"))
            if not numbers or None in frames or not frames:
                known.add(uid)
                numbers = list(frames)
            for number in numbers:
                if number is None or isinstance(number, int):
                    found.update(frames.get(number, ()))
        return np.array(sorted(found), dtype=int)


class Planes:
    """The planes of the slices, as arrays: `normal . point = height` holds in each."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        nowhere = Plane((np.nan,) * 3, (np.nan,) * 6)
        planes = [place.plane or nowhere for place in places]
        self._normals = np.array([plane.normal for plane in planes]).reshape(-1, 3)
        positions_mm = np.array([plane.position_mm for plane in planes]).reshape(-1, 3)
        with np.errstate(over="ignore", invalid="ignore"):  # said to lie beyond all numbers
            self._heights_mm = (positions_mm * self._normals).sum(axis=1)
        of: dict[str, list[int]] = defaultdict(list)
        for index, place in enumerate(places):
            if place.plane and place.identity.frame_of_reference_uid:
                of[place.identity.frame_of_reference_uid].append(index)
        self._in_reference = {uid: np.array(indices) for uid, indices in of.items()}

    def through(
        self, point_mm: Float[np.ndarray, "3"], uid: str, effort: Effort
    ) -> Int[np.ndarray, " m"]:
        """Return the indices of the slices of a frame of reference whose plane holds a point."""
        there = self._in_reference.get(uid)
        if there is None:
            return np.array([], dtype=int)
        effort.spend(_STEPS * len(there))
        return np.asarray(there[self._off_mm(point_mm[None], there) <= OFF_PLANE_MM])

    def only(
        self, points_mm: Float[np.ndarray, "n 3"], found: Int[np.ndarray, " m"], effort: Effort
    ) -> int | None:
        """Return which slice of those found holds all points in its plane; None where none does.

        Raise `AnnotationError` where several do: nothing says which of them is meant.
        """
        effort.spend(_STEPS * len(points_mm) * len(found))
        fitting = found[self._off_mm(points_mm, found) <= OFF_PLANE_MM]
        if len(fitting) > 1:
            raise AnnotationError(
                f"annotation in mm: found {len(fitting)} of the slices sent in the plane of a "
                "contour that names none of them, expected exactly one"
            )
        return int(fitting[0]) if len(fitting) else None

    def nearest(
        self, points_mm: Float[np.ndarray, "n 3"], found: Int[np.ndarray, " m"], effort: Effort
    ) -> tuple[int, float]:
        """Return the slice of those found whose plane is nearest, and how far the points reach.

        Raise `AnnotationError` where one of them does not say where it lies.
        """
        effort.spend(_STEPS * len(points_mm) * len(found))
        off_mm = self._off_mm(points_mm, found)
        for index in found[np.isnan(off_mm)]:
            geometry(self._places[index])
        off_mm[np.isnan(off_mm)] = np.inf
        nearest = int(off_mm.argmin())
        return int(found[nearest]), float(off_mm[nearest])

    def _off_mm(
        self, points_mm: Float[np.ndarray, "n 3"], indices: Int[np.ndarray, " m"]
    ) -> Float[np.ndarray, " m"]:
        """Return how far off each of some slices points lie, the farthest of them."""
        normals, heights_mm = self._normals[indices], self._heights_mm[indices]
        off_mm = np.zeros(len(indices))
        with np.errstate(over="ignore", invalid="ignore"):
            for first in range(0, len(points_mm), _POINTS):
                at_mm = points_mm[first : first + _POINTS] @ normals.T
                off_mm = np.maximum(off_mm, np.abs(at_mm - heights_mm).max(axis=0))
        return off_mm


def geometry(place: Place) -> tuple[Plane, tuple[float, float]]:
    """Return what turns mm of the patient into pixels; raise `AnnotationError` where it lacks."""
    if place.plane is None or place.spacing_mm is None:
        raise AnnotationError(
            "annotation in mm: found a slice without Image Position (0020,0032) and Image "
            "Orientation (0020,0037) that span a plane, expected both"
        )
    return place.plane, place.spacing_mm
