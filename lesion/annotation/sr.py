"""A measurement report (PS3.16, TID 1500) -> the outlines of its planar ROIs on slices.

A measurement group outlines its region in pixels of an image that it selects (SCOORD), or in mm of
a frame of reference (SCOORD3D): as its own (TID 1410, TID 1411), or as what a measurement is
inferred from (TID 1501, TID 300), as web viewers write it. Its finding is read, and how it is
tracked.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydicom.uid import (
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedSRStorage,
    ExplicitVRLittleEndian,
    ExtensibleSRStorage,
    ImplicitVRLittleEndian,
)

from lesion.annotation import contours, sr_regions
from lesion.annotation.effort import Effort
from lesion.annotation.marked import Marked, Sieve, warned
from lesion.annotation.objects import read_object
from lesion.annotation.slices import Planes, References
from lesion.annotation.sr_regions import Slices
from lesion.annotation.structure import CODE, Concept, Structure, concept_of, text_of
from lesion.ct import Place
from lesion.errors import AnnotationError
from lesion.image.part10 import RAW
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

TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
)

#: Codes by which a report is known, and what in it is read.
_IMAGING_MEASUREMENTS, _MEASUREMENT_GROUP = Concept("126010", "DCM"), Concept("125007", "DCM")
_TRACKING_IDENTIFIER, _TRACKING_UID = Concept("112039", "DCM"), Concept("112040", "DCM")
_FINDING, _COMMENT = Concept("121071", "DCM"), Concept("121106", "DCM")
_FINDING_CATEGORY = Concept("276214006", "SCT")
#: Who measures an area closes the line around it.
_AREAS = {Concept("42798000", "SCT"), Concept("G-A166", "SRT"), Concept("131184002", "SCT")}

#: A finding without a code: its meaning is what somebody typed. And what stands there as Tracking
#: Identifier: the name of the tool.
_FREE_TEXT = "CORNERSTONEFREETEXT"
_TOOL = "tools@"

_IMAGE: dict[str, Any] = {
    "ValueType": None,
    "ReferencedSOPSequence": {"ReferencedSOPInstanceUID": None, "ReferencedFrameNumber": None},
}
_REGION: dict[str, Any] = {
    "ValueType": None,
    "GraphicType": None,
    "GraphicData": RAW,
    "ReferencedFrameOfReferenceUID": None,
    "ContentSequence": _IMAGE,
}
_ITEM: dict[str, Any] = {
    **_REGION,
    "ConceptNameCodeSequence": CODE,
    "ConceptCodeSequence": {**CODE, "CodeMeaning": None},
    "TextValue": None,
    "UID": None,
    "ContentSequence": {**_REGION, **_IMAGE},
}
_CONTAINER: dict[str, Any] = {"ValueType": None, "ConceptNameCodeSequence": CODE}
_WANTED: dict[str, Any] = {
    "SOPClassUID": None,
    "ContentSequence": {
        **_CONTAINER,
        "ContentSequence": {**_CONTAINER, "ContentSequence": _ITEM},
    },
}


def read_report(
    data: bytes,
    places: Sequence[Place],
    *,
    select: str | None = None,
    most: int = MOST_REGIONS,
    sieve: Sieve | None = None,
) -> list[Marked]:
    """Read the lesions that measurement groups outline on one of the slices each.

    `select` chooses a group by its Tracking Identifier, its Tracking Unique Identifier, or its
    place among all, from 1; without it all are read that outline something on a slice, and that
    `sieve` keeps. One that cannot be read refuses no other.

    Raise `AnnotationError` if the object is no SR, has no measurement groups, or these have no
    coordinates or none on the slices; `TooLargeError` for more than `most` lesions, an
    `OutlineError` if what they enclose is none.
    """
    sieve = sieve or Sieve()
    file = read_object(
        data,
        _WANTED,
        kind="SR",
        sop_classes=SOP_CLASSES,
        transfer_syntaxes=TRANSFER_SYNTAXES,
        max_reads=MAX_READS,
    )
    groups = _groups(file.values)
    structures = [group.structure for group in groups]
    chosen = sieve.choose(structures, select, "SR: measurement groups")
    asked = [group for group in groups if group.structure.number in chosen]
    regions = sum(len(group.regions) for group in asked)
    if not regions:
        others = [kind for group in asked for kind in group.others]
        raise AnnotationError(
            f"SR: found {f'only {_kinds(others)}' if others else 'no coordinates'} in "
            f"{len(asked)} measurement groups, expected a closed region (SCOORD or SCOORD3D): "
            "points and open lines enclose nothing; of a group that references a SEG, send the SEG"
        )
    slices = Slices(places, References(places), Planes(places), Effort())
    marked = sieve.read_each(
        ((group.structure, partial(_marked, group, slices)) for group in asked),
        most=most,
        what="SR",
    )
    if not marked:
        raise AnnotationError(
            f"SR: found {regions} regions, none of them on the slices sent, "
            "expected one that selects a slice, or lies in its plane and frame of reference"
        )
    return warned(marked, file.warnings)


@dataclass(frozen=True, slots=True)
class _Group:
    """A measurement group: what it says, and its regions as they stand in the report.

    `others` are the kinds of its coordinates that enclose nothing.
    """

    structure: Structure
    regions: tuple[dict[str, Any], ...]
    others: tuple[str, ...]


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
    named = {_concept(item): item for item in reversed(items)}
    closed = any(_concept(item) in _AREAS for item in items)
    drawn = [(item, True) for item in items]
    for item in items:
        if item.get("ValueType") == "NUM":
            drawn += [(child, closed) for child in item.get("ContentSequence", [])]
    regions: dict[tuple[object, ...], dict[str, Any]] = {}
    others = []
    for item, is_closed in drawn:
        if item.get("ValueType") not in ("SCOORD", "SCOORD3D"):
            continue
        if sr_regions.encloses(item, closed=is_closed):
            # Each of several measurements may repeat it.
            regions.setdefault(_region_key(item), item)
        else:
            others.append(sr_regions.name_open(item))
    return _Group(_structure(number, named), tuple(regions.values()), tuple(others))


def _kinds(others: Sequence[str]) -> str:
    return " and ".join(sorted(set(others)))


def _region_key(region: dict[str, Any]) -> tuple[object, ...]:
    """Return what two regions that are the same have in common."""
    found = region.get("GraphicData")
    images = [
        str(image.get("ReferencedSOPInstanceUID"))
        for item in region.get("ContentSequence", [])
        for image in item.get("ReferencedSOPSequence", [])
    ]
    return (*sr_regions.kind_of(region), found if isinstance(found, bytes) else b"", *images)


def _structure(number: int, named: dict[Concept | None, dict[str, Any]]) -> Structure:
    """Return what a group says of its structure, by the items' names."""
    identifier = text_of(named.get(_TRACKING_IDENTIFIER, {}).get("TextValue"))
    finding = named.get(_FINDING, {}).get("ConceptCodeSequence", [])
    concept = concept_of(finding)
    label = identifier
    if concept and concept.value == _FREE_TEXT:
        concept, label = None, text_of(finding[0].get("CodeMeaning"))
    elif _TOOL in identifier.lower():
        label = text_of(named.get(_COMMENT, {}).get("TextValue"))
    return Structure(
        number,
        label=label,
        tracking_id=identifier,
        tracking_uid=text_of(named.get(_TRACKING_UID, {}).get("UID")),
        concept=concept,
        category=concept_of(named.get(_FINDING_CATEGORY, {}).get("ConceptCodeSequence", [])),
    )


def _concept(item: dict[str, Any]) -> Concept | None:
    """Return the concept that names an item."""
    return concept_of(item.get("ConceptNameCodeSequence", []))


def _marked(group: _Group, slices: Slices) -> list[Marked]:
    """Return the lesions of a group on the slice where they cover most."""
    if not group.regions and group.others:
        raise AnnotationError(
            f"SR: found only {_kinds(group.others)} in the measurement group, expected a closed "
            "region (SCOORD or SCOORD3D): points and open lines enclose nothing"
        )
    on: dict[int, list[contours.Contour]] = defaultdict(list)
    missing = False
    for region in group.regions:
        found = sr_regions.on_slice(region, slices)
        missing |= found is None
        if found is not None:
            on[found[0]].append(found[1])
    if not on:
        return []
    best, outlines = contours.on_largest(on, slices.places, slices.effort)
    warnings = (SLICES_MISSING,) if missing and len(slices.places) > 1 else ()
    return [Marked(best, outline, group.structure, warnings) for outline in outlines]
