"""The bytes of a received object -> who it is, and which slices it is about.

Read with `lesion.image.part10`, within its bounds. No patient attribute is read here: whether an
annotation and its images are of one patient is seen when they are read for a report
(`lesion.patient`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydicom.filereader import read_dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    RTStructureSetStorage,
    SegmentationStorage,
)

from lesion.annotation import rtstruct, seg, sr
from lesion.errors import InputError, TooLargeError, UnusableError
from lesion.image import ct_header, dicom, frames, groups, part10
from lesion.image.part10 import several
from service.report.uids import MANUFACTURER

Kind = Literal["ct", "seg", "rtstruct", "sr"]

#: What is taken (docs/formats.md).
KINDS: Mapping[UID, Kind] = {
    **dict.fromkeys(ct_header.SOP_CLASSES, "ct"),
    SegmentationStorage: "seg",
    seg.LabelMapSegmentationStorage: "seg",
    RTStructureSetStorage: "rtstruct",
    **dict.fromkeys(sr.SOP_CLASSES, "sr"),
}
TRANSFER_SYNTAXES: Mapping[Kind, tuple[UID, ...]] = {
    "ct": frames.TRANSFER_SYNTAXES,
    "seg": seg.TRANSFER_SYNTAXES,
    "rtstruct": rtstruct.TRANSFER_SYNTAXES,
    "sr": sr.TRANSFER_SYNTAXES,
}
_MOST_READS: Mapping[Kind, int] = {
    "ct": dicom.MAX_READS_ENHANCED,
    "seg": seg.MAX_READS,
    "rtstruct": rtstruct.MAX_READS,
    "sr": sr.MAX_READS,
}

#: Slices that one annotation references: more than any scan has.
MOST_REFERENCES = 10_000

_PIXELS = 0x7FE00010

_UIDS = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_COMMON: dict[str, Any] = dict.fromkeys((*_UIDS, "SOPClassUID", "FrameOfReferenceUID"))
_IMAGE: dict[str, Any] = {"ReferencedSOPInstanceUID": None}
_SERIES: dict[str, Any] = {"SeriesInstanceUID": None}
_GROUP: dict[str, Any] = {"DerivationImageSequence": {"SourceImageSequence": _IMAGE}}
_REGION: dict[str, Any] = {
    "ReferencedFrameOfReferenceUID": None,
    "ContentSequence": {"ReferencedSOPSequence": _IMAGE},
}
# A region may stand beside a measurement, or be what one is inferred from.
_ITEM: dict[str, Any] = {
    **_REGION,
    "ContentSequence": {"ReferencedSOPSequence": _IMAGE, **_REGION},
}
_FRAME: dict[str, Any] = {"ReferencedFrameOfReferenceUID": None}
_WANTED: Mapping[Kind, dict[str, Any]] = {
    "ct": {**_COMMON, "ImageType": None},
    "seg": {
        **_COMMON,
        "ReferencedSeriesSequence": _SERIES,
        groups.SHARED: _GROUP,
        groups.PER_FRAME: _GROUP,
    },
    "rtstruct": {
        **_COMMON,
        "ReferencedFrameOfReferenceSequence": {
            "FrameOfReferenceUID": None,
            "RTReferencedStudySequence": {"RTReferencedSeriesSequence": _SERIES},
        },
        "StructureSetROISequence": _FRAME,
        "ROIContourSequence": {"ContourSequence": {"ContourImageSequence": _IMAGE}},
    },
    "sr": {
        **_COMMON,
        "Manufacturer": None,
        "CurrentRequestedProcedureEvidenceSequence": {"ReferencedSeriesSequence": _SERIES},
        "ContentSequence": {"ContentSequence": {"ContentSequence": _ITEM}},
    },
}


class IdentityError(UnusableError):
    """The object is not what it was announced as."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an object is, all as UIDs, and which slices an annotation is about.

    `references` are the images that it names; where it names none, it is about those of its study
    and `frame_of_reference` (empty: any), of the `series_named` (none: any). `ignored` says why
    nothing is to be made of it. `head` counts the bytes of an image's file before its pixels; 0
    where they cannot be told apart.
    """

    kind: Kind
    instance: str
    study: str
    series: str
    frame_of_reference: str = ""
    references: tuple[str, ...] = ()
    series_named: tuple[str, ...] = ()
    ignored: Literal["", "own-report", "localizer"] = ""
    head: int = 0


def identify(data: bytes, *, sop_class: UID, instance: str) -> Identity:
    """Read who an object is: a Part 10 file, announced as a SOP class and a SOP Instance UID.

    Raise `IdentityError` where it is something else or lacks UIDs, `TooLargeError` for more
    references than `MOST_REFERENCES`, or the `InputError` that names what is wrong.
    """
    kind = KINDS[sop_class]
    file = part10.read(
        data,
        _WANTED[kind],
        transfer_syntaxes=TRANSFER_SYNTAXES[kind],
        max_reads=_MOST_READS[kind],
    )
    values = file.values
    _check_announced(values, sop_class, instance)
    instance, study, series = (str(values[keyword]) for keyword in _UIDS)
    references, series_named = _uids(_images(kind, values)), _uids(_series(kind, values))
    if max(len(references), len(series_named)) > MOST_REFERENCES:
        raise TooLargeError(
            f"{kind}: found references to {len(references)} images and {len(series_named)} series, "
            f"expected at most {MOST_REFERENCES}"
        )
    return Identity(
        kind,
        instance,
        study,
        series,
        frame_of_reference=_frame_of_reference(kind, values),
        references=references,
        series_named=series_named,
        ignored=_ignored(kind, values),
        head=head_size(data, file.transfer_syntax) if kind == "ct" else 0,
    )


def head_size(data: bytes, transfer_syntax: UID) -> int:
    """Return how many bytes of a file stand before its Pixel Data; 0 in one that is deflated.

    What stands there is a file that can be opened, and has no pixels to decode.
    """
    if transfer_syntax == DeflatedExplicitVRLittleEndian:
        return 0
    file = part10.CountedFile(data, dicom.MAX_READS_ENHANCED)
    file.seek(132)
    with part10.guarded("DICOM"):
        read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag >> 16 != 2)
        read_dataset(
            file,
            transfer_syntax == ImplicitVRLittleEndian,
            transfer_syntax != ExplicitVRBigEndian,
            stop_when=lambda tag, _vr, _length: tag >= _PIXELS,
            specific_tags=[],
        )
    return file.tell()


def _check_announced(values: dict[str, Any], sop_class: UID, instance: str) -> None:
    if values.get("SOPClassUID") != sop_class or values.get("SOPInstanceUID") != instance:
        raise IdentityError(
            "SOP class (0008,0016) and instance (0008,0018): found others than those announced, "
            "expected the same"
        )
    missing = [keyword for keyword in _UIDS if not part10.uid(values.get(keyword)).is_valid]
    if missing:
        raise IdentityError(
            f"found an object without {', '.join(missing)} (de-identified?), "
            "expected all of its UIDs, by which a report refers to it"
        )


def _images(kind: Kind, values: dict[str, Any]) -> Iterable[Any]:
    """Return the SOP Instance UIDs of the images on which an annotation draws."""
    if kind == "seg":
        drawn = [
            image
            for group in [*values.get(groups.SHARED, []), *values.get(groups.PER_FRAME, [])]
            for derivation in group.get("DerivationImageSequence", [])
            for image in derivation.get("SourceImageSequence", [])
        ]
    elif kind == "rtstruct":
        drawn = [
            image
            for roi in values.get("ROIContourSequence", [])
            for contour in roi.get("ContourSequence", [])
            for image in contour.get("ContourImageSequence", [])
        ]
    else:
        drawn = [
            image
            for region in _regions(values)
            for item in region.get("ContentSequence", [])
            for image in item.get("ReferencedSOPSequence", [])
        ]
    return (image.get("ReferencedSOPInstanceUID") for image in drawn)


def _series(kind: Kind, values: dict[str, Any]) -> Iterable[Any]:
    """Return the Series Instance UIDs that an annotation names."""
    named = values.get("ReferencedSeriesSequence", [])
    if kind == "rtstruct":
        named = [
            series
            for frame in values.get("ReferencedFrameOfReferenceSequence", [])
            for study in frame.get("RTReferencedStudySequence", [])
            for series in study.get("RTReferencedSeriesSequence", [])
        ]
    elif kind == "sr":
        named = [
            series
            for evidence in values.get("CurrentRequestedProcedureEvidenceSequence", [])
            for series in evidence.get("ReferencedSeriesSequence", [])
        ]
    return (series.get("SeriesInstanceUID") for series in named)


def _frame_of_reference(kind: Kind, values: dict[str, Any]) -> str:
    """Return the Frame of Reference UID, if there is one and no other."""
    found = [values.get("FrameOfReferenceUID")]
    if kind == "rtstruct":
        frames_named = values.get("ReferencedFrameOfReferenceSequence", [])
        rois = values.get("StructureSetROISequence", [])
        found = [frame.get("FrameOfReferenceUID") for frame in frames_named]
        found = found or [roi.get("ReferencedFrameOfReferenceUID") for roi in rois]
    elif kind == "sr":
        found = [region.get("ReferencedFrameOfReferenceUID") for region in _regions(values)]
    valid = _uids(found)
    return valid[0] if len(valid) == 1 else ""


def _regions(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the items of all measurement groups of a report (PS3.16, TID 1500), and theirs.

    A region is an item of a group, or of a measurement that is inferred from it.
    """
    items = [
        item
        for container in values.get("ContentSequence", [])
        for group in container.get("ContentSequence", [])
        for item in group.get("ContentSequence", [])
    ]
    return [*items, *(child for item in items for child in item.get("ContentSequence", []))]


def _ignored(kind: Kind, values: dict[str, Any]) -> Literal["", "own-report", "localizer"]:
    if kind == "sr" and str(values.get("Manufacturer") or "").strip() == MANUFACTURER:
        return "own-report"
    if kind == "ct" and "LOCALIZER" in several(values.get("ImageType")):
        return "localizer"
    return ""


def _uids(found: Iterable[Any]) -> tuple[str, ...]:
    """Return the valid UIDs among values of a file, each once, in their order."""
    read = dict.fromkeys(part10.uid(value) for value in found)
    return tuple(str(uid) for uid in read if uid.is_valid)


def refusal_status(error: InputError) -> int:
    """Return the C-STORE status of a refusal (PS3.4, B.2.3)."""
    return 0xA900 if isinstance(error, IdentityError) else 0xC000
