"""A measurement report (PS3.16, TID 1500) -> the outlines of its planar ROIs on slices.

A measurement group (TID 1410, TID 1411) outlines its region in pixels of an image that it selects
(SCOORD), or in mm of a frame of reference (SCOORD3D), which are of a slice where they lie in its
plane. What it says beside its regions is not read.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    ExtensibleSRStorage,
    ImplicitVRLittleEndian,
)

from lesion.annotation import contours
from lesion.annotation.effort import Effort
from lesion.annotation.marked import Entry, Marked, choose
from lesion.annotation.slices import OFF_PLANE_MM, Planes, References, geometry
from lesion.ct import Place
from lesion.errors import (
    AnnotationError,
    OutlineNotFiniteError,
    TooLargeError,
    UnreadableImageError,
    UnreadableOutlineError,
)
from lesion.image import part10
from lesion.image.part10 import RAW, quote
from lesion.outline import MOST_REGIONS
from lesion.warning import SLICES_MISSING

SOP_CLASSES = (
    EnhancedSRStorage,
    ComprehensiveSRStorage,
    Comprehensive3DSRStorage,
    ExtensibleSRStorage,
)

#: Reads of the parser: about 150 for a measurement group, 60 for an image of the library.
MAX_READS = 300_000

#: Bytes of coordinates of one region: 4,000 points in the patient.
MOST_GRAPHIC_BYTES = 48 * 1024

TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
)

#: Codes (DCM) by which a report is known, and what in it is read.
_IMAGING_MEASUREMENTS, _MEASUREMENT_GROUP = "126010", "125007"
_TRACKING_IDENTIFIER, _TRACKING_UID = "112039", "112040"

_CODE: dict[str, Any] = {"CodeValue": None, "CodingSchemeDesignator": None}
_IMAGE: dict[str, Any] = {
    "ValueType": None,
    "ReferencedSOPSequence": {"ReferencedSOPInstanceUID": None, "ReferencedFrameNumber": None},
}
_ITEM: dict[str, Any] = {
    "ValueType": None,
    "ConceptNameCodeSequence": _CODE,
    "TextValue": None,
    "UID": None,
    "GraphicType": None,
    "GraphicData": RAW,
    "ReferencedFrameOfReferenceUID": None,
    "ContentSequence": _IMAGE,
}
_CONTAINER: dict[str, Any] = {"ValueType": None, "ConceptNameCodeSequence": _CODE}
_WANTED: dict[str, Any] = {
    "SOPClassUID": None,
    "ContentSequence": {
        **_CONTAINER,
        "ContentSequence": {**_CONTAINER, "ContentSequence": _ITEM},
    },
}

#: What encloses a region. A POLYLINE that ends elsewhere than it began is closed: it is a region's.
_POLYGONS = {("SCOORD", "POLYLINE"), ("SCOORD3D", "POLYGON"), ("SCOORD3D", "POLYLINE")}
_CLOSED = _POLYGONS | {("SCOORD", "CIRCLE"), ("SCOORD", "ELLIPSE"), ("SCOORD3D", "ELLIPSE")}

#: Vertices of the polygon that stands for a circle or an ellipse: its extent is right to 0.004 %.
_ROUND = np.linspace(0, 2 * np.pi, 360, endpoint=False)

#: Sides of a pixel may differ by this much, and a circle of pixels still be one of the patient.
_SQUARE = 0.01

Points = Float[np.ndarray, "n k"]


def read_report(
    data: bytes, places: Sequence[Place], *, select: str | None = None, most: int = MOST_REGIONS
) -> list[Marked]:
    """Read the lesions that measurement groups outline on one of the slices each.

    `select` chooses a group by its Tracking Identifier, its Tracking Unique Identifier, or its
    place among all, from 1; without it all are read that outline something on a slice.

    Raise `AnnotationError` if the object is no SR, has no measurement groups, or these have no
    coordinates or none on the slices; `TooLargeError` for more than `most` lesions, an
    `OutlineError` if what they enclose is none.
    """
    try:
        values = part10.read(
            data, _WANTED, transfer_syntaxes=TRANSFER_SYNTAXES, max_reads=MAX_READS
        ).values
    except UnreadableImageError as error:
        raise UnreadableOutlineError(f"SR: {error}") from None
    if values.get("SOPClassUID") not in SOP_CLASSES:
        raise AnnotationError(
            f"SR: SOP class (0008,0016): found {quote(values.get('SOPClassUID'))}, "
            f"expected one of {', '.join(known.name for known in SOP_CLASSES)}"
        )
    groups = _groups(values)
    entries = [Entry(group.number, group.names) for group in groups]
    chosen = choose(entries, select, "SR: measurement groups")
    asked = [group for group in groups if group.number in chosen]
    regions = sum(len(group.regions) for group in asked)
    if not regions:
        others = sorted({kind for group in asked for kind in group.others})
        raise AnnotationError(
            f"SR: found {f'only {quote(others)}' if others else 'no coordinates'} in {len(asked)} "
            "measurement groups, expected a closed region (SCOORD or SCOORD3D); of a group that "
            "references a SEG, send the SEG"
        )
    slices = _Slices(places, References(places), Planes(places), Effort())
    marked: list[Marked] = []
    for group in asked:
        marked += _marked(group, slices)
        if len(marked) > most:
            raise TooLargeError(f"SR: found {len(marked)} lesions or more, expected at most {most}")
    if not marked:
        raise AnnotationError(
            f"SR: found {regions} regions, none of them on the slices sent, "
            "expected one that selects a slice, or lies in its plane and frame of reference"
        )
    return marked


@dataclass(frozen=True, slots=True)
class _Group:
    """A measurement group: what it is called, and its regions as they stand in the report.

    `others` are the kinds of its coordinates that enclose nothing.
    """

    number: int
    names: tuple[str, ...]
    tracking_uid: str
    regions: tuple[dict[str, Any], ...]
    others: tuple[str, ...]


class _Slices(NamedTuple):
    """The slices sent, and the effort that is left to all groups together."""

    places: Sequence[Place]
    references: References
    planes: Planes
    effort: Effort


def _groups(values: dict[str, Any]) -> list[_Group]:
    found = [
        group
        for container in values.get("ContentSequence", [])
        if _concept(container) == _IMAGING_MEASUREMENTS
        for group in container.get("ContentSequence", [])
        if _concept(group) == _MEASUREMENT_GROUP
    ]
    if not found:
        raise AnnotationError(
            "SR: found no Measurement Group (125007, DCM) in Imaging Measurements (126010, DCM), "
            "expected a report of TID 1500"
        )
    return [_group(at, group.get("ContentSequence", [])) for at, group in enumerate(found, 1)]


def _group(number: int, items: list[dict[str, Any]]) -> _Group:
    texts = {_concept(item): item for item in reversed(items)}
    identifier = str(texts.get(_TRACKING_IDENTIFIER, {}).get("TextValue") or "")
    uid = str(texts.get(_TRACKING_UID, {}).get("UID") or "")
    drawn = [item for item in items if item.get("ValueType") in ("SCOORD", "SCOORD3D")]
    return _Group(
        number,
        (identifier, uid),
        uid,
        regions=tuple(item for item in drawn if _kind(item) in _CLOSED),
        others=tuple(_kind(item)[1] for item in drawn if _kind(item) not in _CLOSED),
    )


def _kind(region: dict[str, Any]) -> tuple[str, str]:
    return str(region["ValueType"]), str(region.get("GraphicType"))


def _concept(item: dict[str, Any]) -> str:
    """Return the code of an item's name, empty unless it is of DICOM's own scheme."""
    codes = item.get("ConceptNameCodeSequence") or [{}]
    return str(codes[0].get("CodeValue")) if codes[0].get("CodingSchemeDesignator") == "DCM" else ""


def _marked(group: _Group, slices: _Slices) -> list[Marked]:
    """Return the lesions of a group on the slice where they cover most."""
    on: dict[int, list[contours.Contour]] = defaultdict(list)
    missing = False
    for region in group.regions:
        in_patient = region["ValueType"] == "SCOORD3D"
        found = _in_patient(region, slices) if in_patient else _on_image(region, slices)
        missing |= found is None
        if found is not None:
            on[found[0]].append(found[1])
    if not on:
        return []
    best, outlines = contours.on_largest(on, slices.places, slices.effort)
    warnings = (SLICES_MISSING,) if missing and len(slices.places) > 1 else ()
    return [
        Marked(best, outline, group.number, group.tracking_uid, warnings) for outline in outlines
    ]


def _on_image(region: dict[str, Any], slices: _Slices) -> tuple[int, contours.Contour] | None:
    """Read an SCOORD (PS3.3, C.18.6): the slice that it selects, and its points in pixels."""
    images = [
        image
        for item in region.get("ContentSequence", [])
        if item.get("ValueType") == "IMAGE"
        for image in item.get("ReferencedSOPSequence", [])
    ]
    if not images:
        raise AnnotationError(
            "SR: found an SCOORD that selects no image itself, expected SELECTED FROM an IMAGE"
        )
    found = slices.references.slices(images)
    if not len(found):
        return None
    if len(found) > 1:
        raise AnnotationError(
            f"SR: found an SCOORD on {len(found)} of the slices sent, expected one: "
            "a Referenced Frame Number (0008,1160), or the request's frame"
        )
    index = int(found[0])
    return index, _closed(region, _graphic_data(region, 2), slices.places[index])


def _in_patient(region: dict[str, Any], slices: _Slices) -> tuple[int, contours.Contour] | None:
    """Read an SCOORD3D (PS3.3, C.18.9): the slice in whose plane it lies, its points in pixels."""
    uid = str(region.get("ReferencedFrameOfReferenceUID") or "")
    points_mm = _graphic_data(region, 3)
    found = slices.planes.through(points_mm[0], uid)
    if not len(found):
        return None
    best, off_mm = slices.planes.nearest(points_mm, found, slices.effort)
    if off_mm > OFF_PLANE_MM:
        return None
    place = slices.places[best]
    plane, spacing_mm = geometry(place)
    return best, _closed(region, plane.to_pixels(points_mm, spacing_mm), place)


def _closed(
    region: dict[str, Any], points: Float[np.ndarray, "n 2"], place: Place
) -> contours.Contour:
    """Return the polygon that a graphic encloses."""
    kind = _kind(region)
    if kind in _POLYGONS:
        polygon = points[:-1] if len(points) > 1 and np.array_equal(*points[[0, -1]]) else points
        if len(polygon) >= 3:
            return polygon
    elif kind[1] == "CIRCLE" and len(points) == 2:
        _check_square(place)
        centre, across = points[0], points[1] - points[0]
        return _ellipse(centre, across, across[::-1] * [-1, 1])
    elif kind[1] == "ELLIPSE" and len(points) == 4:
        major, minor = points[:2], points[2:]
        return _ellipse(points.mean(axis=0), (major[1] - major[0]) / 2, (minor[1] - minor[0]) / 2)
    raise AnnotationError(
        f"SR: found a {kind[1]} of {len(points)} points, "
        "expected 3 or more of a polygon, 2 of a circle, 4 of an ellipse"
    )


def _ellipse(
    centre: Float[np.ndarray, "2"], one: Float[np.ndarray, "2"], other: Float[np.ndarray, "2"]
) -> contours.Contour:
    """Return points around an ellipse of two half-axes."""
    return np.asarray(centre + np.cos(_ROUND)[:, None] * one + np.sin(_ROUND)[:, None] * other)


def _check_square(place: Place) -> None:
    """Refuse a circle on pixels that are not square: it is one in pixels or in mm, not in both."""
    row_mm, col_mm = place.spacing_mm or (1.0, 1.0)
    if abs(row_mm - col_mm) > _SQUARE * min(row_mm, col_mm):
        raise AnnotationError(
            f"SR: found a CIRCLE on pixels of {row_mm:g} x {col_mm:g} mm, "
            "expected square pixels, or an ELLIPSE"
        )


def _graphic_data(region: dict[str, Any], dimensions: int) -> Points:
    """Read Graphic Data (0070,0022): 32-bit floats, little endian as all that is read here."""
    found = region.get("GraphicData")
    text = found if isinstance(found, bytes) else b""
    if len(text) > MOST_GRAPHIC_BYTES:
        raise TooLargeError(
            f"SR: Graphic Data (0070,0022): found {len(text)} bytes, "
            f"expected at most {MOST_GRAPHIC_BYTES}"
        )
    if not text or len(text) % (4 * dimensions):
        raise UnreadableOutlineError(
            f"SR: Graphic Data (0070,0022): found {len(text)} bytes, "
            f"expected {dimensions} numbers of 4 bytes for each point"
        )
    points = np.frombuffer(text, "<f4").reshape(-1, dimensions).astype(np.float64)
    if not np.isfinite(points).all():
        raise OutlineNotFiniteError(
            "SR: Graphic Data (0070,0022): found NaN or infinite coordinates, expected numbers"
        )
    return points
