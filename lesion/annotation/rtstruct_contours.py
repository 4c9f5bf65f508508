"""Contours of an RT Structure Set -> the lesions that they enclose, slice by slice."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from lesion.annotation import contours
from lesion.annotation.effort import Effort
from lesion.annotation.marked import Marked
from lesion.annotation.slices import OFF_PLANE_MM, Planes, References, geometry
from lesion.annotation.structure import Structure
from lesion.ct import Place
from lesion.errors import (
    AnnotationError,
    OutlineNotFiniteError,
    OutlineOutsideError,
    TooLargeError,
    UnreadableOutlineError,
)
from lesion.numerals import number
from lesion.warning import (
    FRAME_OF_REFERENCE,
    REFERENCE_BY_GEOMETRY,
    SLICES_MISSING,
    InputWarning,
)

#: Contours on the slices sent, and bytes of their coordinates: 100,000 points.
MOST_CONTOURS = 4096
MOST_CONTOUR_BYTES = 4 * 1024 * 1024

#: A kilometre: products of larger numbers may overflow.
FARTHEST_MM = 1e6

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")


class Slices:
    """The slices sent, and what is left to all ROIs together: contours, bytes and effort.

    Where the structure set is not of a series that is `named`, no reference is to them.
    """

    def __init__(self, places: Sequence[Place], *, named: bool) -> None:
        self.places = places
        self.named = named
        self.references = References(places if named else [])
        self.planes = Planes(places)
        self.effort = Effort()
        self._contours, self._bytes = MOST_CONTOURS, MOST_CONTOUR_BYTES

    def count(self, coordinates: bytes) -> None:
        """Count a contour on the slices."""
        self._contours -= 1
        self._bytes -= len(coordinates)
        if min(self._contours, self._bytes) < 0:
            raise TooLargeError(
                f"RTSTRUCT: found more on the slices than {MOST_CONTOURS} contours or "
                f"{MOST_CONTOUR_BYTES} bytes of coordinates, expected at most that"
            )


class Drawn:
    """The contours of one ROI as they are found, slice by slice."""

    def __init__(self, frame_of_reference_uid: str, slices: Slices) -> None:
        self._uid = frame_of_reference_uid
        self._slices = slices
        self._places = slices.places
        self._on: dict[int, list[Float[np.ndarray, "n 2"]]] = {}
        self._by_geometry: set[int] = set()
        self._elsewhere = self._open = False

    def add(self, contour: dict[str, Any]) -> None:
        """Take a contour if it is closed, and of one of the slices."""
        if contour.get("ContourGeometricType") not in _CLOSED:
            self._open = True
            return
        text = contour.get("ContourData")
        coordinates = text if isinstance(text, bytes) else b""
        images = contour.get("ContourImageSequence", [])
        named = self._slices.references.slices(images)
        found = named if len(named) else self._through(coordinates)
        if not len(found):
            self._elsewhere = True
            return
        self._slices.count(coordinates)
        points_mm = _points_mm(coordinates)
        if len(points_mm) < 3:
            self._open = True  # a point, whatever it calls itself
            return
        planes, effort = self._slices.planes, self._slices.effort
        index = (
            self._named(points_mm, named) if len(named) else planes.only(points_mm, found, effort)
        )
        if index is None:
            self._elsewhere = True
            return
        if images and not len(named):
            self._by_geometry.add(index)
        plane, spacing_mm = geometry(self._places[index])
        self._on.setdefault(index, []).append(plane.to_pixels(points_mm, spacing_mm))

    def marked(self, roi: Structure) -> list[Marked]:
        """Return the lesions on the slice where they cover most."""
        if not self._on and self._open:
            raise AnnotationError(
                "RTSTRUCT: found no closed contour of 3 points or more in the ROI on the slices "
                "sent, but points or open lines, which enclose nothing, expected one"
            )
        if not self._on:
            return []
        best, outlines = contours.on_largest(self._on, self._places, self._slices.effort)
        warnings: list[InputWarning] = []
        if self._uid != self._places[best].identity.frame_of_reference_uid:
            warnings.append(FRAME_OF_REFERENCE)
        if best in self._by_geometry:
            warnings.append(REFERENCE_BY_GEOMETRY)
        if self._elsewhere and len(self._places) > 1:
            warnings.append(SLICES_MISSING)
        return [Marked(best, outline, roi, tuple(warnings)) for outline in outlines]

    def _through(self, coordinates: bytes) -> Int[np.ndarray, " m"]:
        """Return the slices in whose frame of reference, and plane, the first point lies."""
        point_mm = _points_mm(b"\\".join(coordinates.split(b"\\", 3)[:3]))
        if not len(point_mm):
            return np.array([], dtype=int)
        return self._slices.planes.through(point_mm[0], self._uid, self._slices.effort)

    def _named(self, points_mm: Float[np.ndarray, "n 3"], named: Int[np.ndarray, " m"]) -> int:
        """Return the slice that a contour references; raise where it does not lie in its plane."""
        index, off_mm = self._slices.planes.nearest(points_mm, named, self._slices.effort)
        if off_mm > OFF_PLANE_MM:
            raise AnnotationError(
                f"RTSTRUCT: found a contour up to {off_mm:.3g} mm off the slice that it "
                f"references, expected at most {OFF_PLANE_MM:g} mm"
            )
        return index


def _points_mm(text: bytes) -> Float[np.ndarray, "n 3"]:
    """Read Contour Data (3006,0050): x, y and z of each point in mm."""
    try:
        read = [number(part) for part in text.decode("ascii").split("\\") if part]
        points = np.array(read, dtype=np.float64).reshape(-1, 3)
    except ValueError:
        raise UnreadableOutlineError(
            "RTSTRUCT: Contour Data (3006,0050): found something else, "
            "expected three decimal numbers for each point"
        ) from None
    if not np.isfinite(points).all():
        raise OutlineNotFiniteError(
            "RTSTRUCT: Contour Data (3006,0050): found NaN or infinite coordinates, expected mm"
        )
    if len(points) and np.abs(points).max() > FARTHEST_MM:
        raise OutlineOutsideError(
            "RTSTRUCT: Contour Data (3006,0050): found coordinates beyond "
            f"{FARTHEST_MM:g} mm, expected those of a patient"
        )
    return points
