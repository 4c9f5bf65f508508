"""An RT Structure Set (PS3.3, A.19) -> the outlines of its ROIs on slices.

Contours are points of the patient in mm. They are of a slice where they reference it and lie in its
plane; or, where what they reference is not there, of the only one in whose plane and frame of
reference they lie.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RTStructureSetStorage,
)

from lesion.annotation.marked import Marked, Sieve, warned
from lesion.annotation.objects import read_object
from lesion.annotation.rtstruct_contours import Drawn, Slices
from lesion.annotation.structure import CODE, Structure, concept_of, text_of
from lesion.ct import Place
from lesion.errors import AnnotationError, UnreadableOutlineError
from lesion.image.part10 import RAW, quote
from lesion.outline import MOST_REGIONS

#: Reads of the parser: about 25 for a contour, of which forty organs have some thousands.
MAX_READS = 300_000

TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
)


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
    "RTROIObservationsSequence": {
        "ReferencedROINumber": None,
        "RTROIInterpretedType": None,
        "RTROIIdentificationCodeSequence": CODE,
    },
}


def read_rtstruct(
    data: bytes,
    places: Sequence[Place],
    *,
    select: str | None = None,
    most: int = MOST_REGIONS,
    sieve: Sieve | None = None,
) -> list[Marked]:
    """Read the lesions that the ROIs of a structure set outline on one of the slices each.

    `select` chooses an ROI by its number (3006,0022) or its name; without it all are read that
    `sieve` keeps. One that cannot be read refuses no other.

    Raise `AnnotationError` if the object is no RTSTRUCT, or its ROIs are not of the slices,
    `TooLargeError` for more than `most` lesions, an `OutlineError` if what they enclose is none.
    """
    sieve = sieve or Sieve()
    file = read_object(
        data,
        _WANTED,
        kind="RTSTRUCT",
        sop_classes=(RTStructureSetStorage,),
        transfer_syntaxes=TRANSFER_SYNTAXES,
        max_reads=MAX_READS,
    )
    values = file.values
    asked = sieve.choose(_rois(values), select, "RTSTRUCT: ROIs")
    frames = {
        _whole(roi, "ROINumber"): str(roi.get("ReferencedFrameOfReferenceUID") or "")
        for roi in values.get("StructureSetROISequence", [])
    }
    slices = Slices(places, named=_names_series(values, places))

    def contours() -> Iterator[tuple[Structure, Callable[[], list[Marked]]]]:
        for item in values.get("ROIContourSequence", []):
            if roi := asked.get(_whole(item, "ReferencedROINumber")):
                drawn = Drawn(frames[roi.number], slices)
                yield roi, partial(_marked, roi, item.get("ContourSequence", []), drawn)

    marked = sieve.read_each(contours(), most=most, what="RTSTRUCT")
    if not marked:
        raise AnnotationError(
            "RTSTRUCT: found no closed contour of the asked ROIs on the slices sent, expected one "
            + _EXPECTED[slices.named]
        )
    return warned(marked, file.warnings)


#: What is expected of a contour, by whether the structure set names the slices' series.
_EXPECTED = {
    True: "whose Contour Image Sequence (3006,0016) references a slice, or that lies in the plane "
    "and the frame of reference (3006,0024) of exactly one",
    False: "in the plane and the frame of reference (3006,0024) of exactly one: it references "
    "other series only (3006,0014)",
}


def _marked(roi: Structure, contours: Sequence[dict[str, Any]], drawn: Drawn) -> list[Marked]:
    for contour in contours:
        drawn.add(contour)
    return drawn.marked(roi)


def _rois(values: dict[str, Any]) -> list[Structure]:
    """Return the ROIs, with what their observations say of them."""
    observed: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for item in values.get("RTROIObservationsSequence", []):
        if isinstance(number := item.get("ReferencedROINumber"), int):
            observed[number].append(item)
    return [
        Structure(
            number := _whole(roi, "ROINumber"),
            label=text_of(roi.get("ROIName")),
            concept=concept_of(_first(observed[number], "RTROIIdentificationCodeSequence") or []),
            # A term in capitals (VR CS), which not every writer keeps to.
            interpreted_type=text_of(_first(observed[number], "RTROIInterpretedType")).upper(),
        )
        for roi in values.get("StructureSetROISequence", [])
    ]


def _first(observations: Sequence[dict[str, Any]], keyword: str) -> Any:
    """Return what the first of an ROI's observations says that says it at all."""
    return next((found for item in observations if (found := item.get(keyword))), None)


def _names_series(values: dict[str, Any], places: Sequence[Place]) -> bool:
    """Tell whether a structure set that names the series it is of names the slices'."""
    named = {
        str(series.get("SeriesInstanceUID"))
        for frame in values.get("ReferencedFrameOfReferenceSequence", [])
        for study in frame.get("RTReferencedStudySequence", [])
        for series in study.get("RTReferencedSeriesSequence", [])
    }
    sent = {place.identity.series_instance_uid for place in places}
    return not named or bool(sent & (named | {""}))


def _whole(item: dict[str, Any], keyword: str) -> int:
    found = item.get(keyword)
    if not isinstance(found, int):
        raise UnreadableOutlineError(
            f"RTSTRUCT: {keyword}: found {quote(found)}, expected a whole number"
        )
    return int(found)
