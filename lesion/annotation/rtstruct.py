"""An RT Structure Set (PS3.3, A.19) -> the outlines of its ROIs on slices.

Contours are points of the patient in mm. They are of a slice where they reference it, or, without
a reference, where they lie in its plane and in its frame of reference; and only where they do lie
in its plane.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RTStructureSetStorage,
)

from lesion.annotation import contours
from lesion.annotation.effort import Effort
from lesion.annotation.marked import Entry, Marked, choose
from lesion.annotation.slices import OFF_PLANE_MM, Planes, References, geometry
from lesion.ct import Place
from lesion.errors import (
    AnnotationError,
    OutlineNotFiniteError,
    OutlineOutsideError,
    TooLargeError,
    UnreadableImageError,
    UnreadableOutlineError,
)
from lesion.image import part10
from lesion.image.part10 import RAW, quote
from lesion.numerals import number
from lesion.outline import MOST_REGIONS
from lesion.warning import FRAME_OF_REFERENCE, SLICES_MISSING, InputWarning

#: Reads of the parser: about 25 for a contour, of which forty organs have some thousands.
MAX_READS = 300_000

#: Contours on the slices sent, and bytes of their coordinates: 100,000 points.
MOST_CONTOURS = 4096
MOST_CONTOUR_BYTES = 4 * 1024 * 1024

#: A kilometre: products of larger numbers may overflow.
FARTHEST_MM = 1e6

TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
)
_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")

_IMAGES: dict[str, Any] = {"ReferencedSOPInstanceUID": None, "ReferencedFrameNumber": None}
_WANTED: dict[str, Any] = {
    "SOPClassUID": None,
    "ReferencedFrameOfReferenceSequence": {
        "RTReferencedStudySequence": {"RTReferencedSeriesSequence": {"SeriesInstanceUID": None}}
    },
    "StructureSetROISequence": {
        "ROINumber": None,
        "ROIName": None,
        "ReferencedFrameOfReferenceUID": None,
    },
    "ROIContourSequence": {
        "ReferencedROINumber": None,
        "ContourSequence": {
            "ContourImageSequence": _IMAGES,
            "ContourGeometricType": None,
            "ContourData": RAW,
        },
    },
}


def read_rtstruct(
    data: bytes, places: Sequence[Place], *, select: str | None = None, most: int = MOST_REGIONS
) -> list[Marked]:
    """Read the lesions that the ROIs of a structure set outline on one of the slices each.

    `select` chooses an ROI by its number (3006,0022) or its name; without it all are read.

    Raise `AnnotationError` if the object is no RTSTRUCT, or its ROIs are not of the slices,
    `TooLargeError` for more than `most` lesions, an `OutlineError` if what they enclose is none.
    """
    try:
        values = part10.read(
            data, _WANTED, transfer_syntaxes=TRANSFER_SYNTAXES, max_reads=MAX_READS
        ).values
    except UnreadableImageError as error:
        raise UnreadableOutlineError(f"RTSTRUCT: {error}") from None
    if values.get("SOPClassUID") != RTStructureSetStorage:
        raise AnnotationError(
            f"RTSTRUCT: SOP class (0008,0016): found {quote(values.get('SOPClassUID'))}, "
            f"expected {RTStructureSetStorage.name}"
        )
    _check_series(values, places)
    rois = {_whole(roi, "ROINumber"): roi for roi in values.get("StructureSetROISequence", [])}
    entries = [Entry(at, (str(roi.get("ROIName", "")),)) for at, roi in rois.items()]
    chosen = choose(entries, select, "RTSTRUCT: ROIs")
    marked: list[Marked] = []
    slices = _Slices(places)
    for item in values.get("ROIContourSequence", []):
        at = _whole(item, "ReferencedROINumber")
        if at in chosen and at in rois:
            uid = str(rois[at].get("ReferencedFrameOfReferenceUID") or "")
            drawn = _Drawn(uid, slices)
            for contour in item.get("ContourSequence", []):
                drawn.add(contour)
            marked += drawn.marked(at)
            if len(marked) > most:
                raise TooLargeError(
                    f"RTSTRUCT: found {len(marked)} lesions or more, expected at most {most}"
                )
    if not marked:
        raise AnnotationError(
            "RTSTRUCT: found no closed contour of the asked ROIs on the slices sent, expected one "
            "whose Contour Image Sequence (3006,0016) references a slice, or that lies in its plane"
        )
    return marked


class _Slices:
    """The slices sent, and what is left to all ROIs together: contours, bytes and effort."""

    def __init__(self, places: Sequence[Place]) -> None:
        self.places = places
        self.references = References(places)
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


class _Drawn:
    """The contours of one ROI as they are found, slice by slice."""

    def __init__(self, frame_of_reference_uid: str, slices: _Slices) -> None:
        self._uid = frame_of_reference_uid
        self._slices = slices
        self._places = slices.places
        self._on: dict[int, list[Float[np.ndarray, "n 2"]]] = {}
        self._elsewhere = False

    def add(self, contour: dict[str, Any]) -> None:
        """Take a contour if it is closed, and of one of the slices."""
        if contour.get("ContourGeometricType") not in _CLOSED:
            return
        text = contour.get("ContourData")
        coordinates = text if isinstance(text, bytes) else b""
        images = contour.get("ContourImageSequence", [])
        found = (
            self._slices.references.slices(images) if images else self._unreferenced(coordinates)
        )
        if not len(found):
            self._elsewhere = True
            return
        self._slices.count(coordinates)
        points_mm = _points_mm(coordinates)
        if len(points_mm) < 3:
            return  # a point, whatever it calls itself
        index, off_mm = self._slices.planes.nearest(points_mm, found, self._slices.effort)
        if off_mm > OFF_PLANE_MM:
            raise AnnotationError(
                f"RTSTRUCT: found a contour up to {off_mm:.3g} mm off the slice that it "
                f"references, expected at most {OFF_PLANE_MM:g} mm"
            )
        place = self._places[index]
        plane, spacing_mm = geometry(place)
        self._on.setdefault(index, []).append(plane.to_pixels(points_mm, spacing_mm))

    def marked(self, roi: int) -> list[Marked]:
        """Return the lesions on the slice where they cover most."""
        if not self._on:
            return []
        best, outlines = contours.on_largest(self._on, self._places, self._slices.effort)
        warnings: list[InputWarning] = []
        if self._uid != self._places[best].identity.frame_of_reference_uid:
            warnings.append(FRAME_OF_REFERENCE)
        if self._elsewhere and len(self._places) > 1:
            warnings.append(SLICES_MISSING)
        return [Marked(best, outline, roi, warnings=tuple(warnings)) for outline in outlines]

    def _unreferenced(self, coordinates: bytes) -> Int[np.ndarray, " m"]:
        """Return the slices in whose frame of reference, and plane, the first point lies."""
        point_mm = _points_mm(b"\\".join(coordinates.split(b"\\", 3)[:3]))
        if not len(point_mm):
            return np.array([], dtype=int)
        return self._slices.planes.through(point_mm[0], self._uid)


def _check_series(values: dict[str, Any], places: Sequence[Place]) -> None:
    """Refuse a structure set that names the series it is of, and names none of the slices'."""
    named = {
        str(series.get("SeriesInstanceUID"))
        for frame in values.get("ReferencedFrameOfReferenceSequence", [])
        for study in frame.get("RTReferencedStudySequence", [])
        for series in study.get("RTReferencedSeriesSequence", [])
    }
    sent = {place.identity.series_instance_uid for place in places}
    if named and not sent & (named | {""}):
        raise AnnotationError(
            "RTSTRUCT: found references to other series only (3006,0014), "
            "expected the Series Instance UID of the slices among them"
        )


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


def _whole(item: dict[str, Any], keyword: str) -> int:
    found = item.get(keyword)
    if not isinstance(found, int):
        raise UnreadableOutlineError(
            f"RTSTRUCT: {keyword}: found {quote(found)}, expected a whole number"
        )
    return int(found)
