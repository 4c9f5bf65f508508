"""A binary DICOM Segmentation (PS3.3, A.51) -> the outlines of its segments on one slice.

Read with pydicom within the bounds of `lesion.image.part10`, frame by frame: only those that lie on
the slice are unpacked.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    SegmentationStorage,
)

from lesion.ct import CTSlice, Plane
from lesion.errors import (
    AnnotationError,
    MaskSizeError,
    TooLargeError,
    UnreadableImageError,
    UnreadableOutlineError,
)
from lesion.image import part10
from lesion.image.part10 import quote
from lesion.outline import Outline, from_mask

#: Bits of every frame together: 1,000 frames of 512x512 take 32 MB.
MAX_BYTES = 64 * 1024 * 1024
MOST_FRAMES = 4096

#: Reads of the parser: 50 to 120 for a frame, by the writer's taste in sequences.
MAX_READS = 200_000

TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
)

_GROUPS = {
    "SegmentIdentificationSequence": {"ReferencedSegmentNumber": None},
    "DerivationImageSequence": {"SourceImageSequence": {"ReferencedSOPInstanceUID": None}},
    "PlanePositionSequence": {"ImagePositionPatient": None},
    "PlaneOrientationSequence": {"ImageOrientationPatient": None},
}
_WANTED: dict[str, Any] = {
    "SOPClassUID": None,
    "SegmentationType": None,
    "NumberOfFrames": None,
    "Rows": None,
    "Columns": None,
    "BitsAllocated": None,
    "SegmentSequence": {"SegmentNumber": None},
    "SharedFunctionalGroupsSequence": _GROUPS,
    "PerFrameFunctionalGroupsSequence": _GROUPS,
    "PixelData": None,
}


def read_seg(data: bytes, ct: CTSlice, *, segment: int | None = None) -> list[Outline]:
    """Read the outlines that a binary SEG draws on the slice, largest first in each segment.

    `segment` chooses one Segment Number (0062,0004); without it all are read, in order.

    Raise `AnnotationError` if the object is no binary SEG or its frames are not of this slice,
    `MaskSizeError` if they are of another size, an `OutlineError` if what they mark is no lesion.
    """
    try:
        file = part10.read(data, _WANTED, transfer_syntaxes=TRANSFER_SYNTAXES, max_bytes=MAX_BYTES)
    except UnreadableImageError as error:
        raise UnreadableOutlineError(f"SEG: {error}") from None
    values = file.values
    _check_binary(values)
    frames = _frames_of(ct, values, segment)
    masks: dict[int, np.ndarray] = {}
    for index, number in frames:
        mask = _frame(values, index)
        masks[number] = masks[number] | mask if number in masks else mask
    marked = [masks[number] for number in sorted(masks) if masks[number].any()]
    if not marked:
        raise AnnotationError("SEG: found no marked pixel on the slice, expected a lesion")
    return [outline for mask in marked for outline in from_mask(mask, shape=ct.hu.shape)]


def _check_binary(values: dict[str, Any]) -> None:
    for keyword, tag, expected in (
        ("SOPClassUID", "(0008,0016)", SegmentationStorage),
        ("SegmentationType", "(0062,0001)", "BINARY"),
        ("BitsAllocated", "(0028,0100)", 1),
    ):
        if (found := values.get(keyword)) != expected:
            raise AnnotationError(
                f"SEG: {keyword} {tag}: found {quote(found)}, expected {expected!s}"
            )
    frames = values.get("NumberOfFrames")
    if not isinstance(frames, int) or not 0 < frames <= MOST_FRAMES:
        raise TooLargeError(
            f"SEG: NumberOfFrames (0028,0008): found {quote(frames)}, expected 1 to {MOST_FRAMES}"
        )


def _frames_of(ct: CTSlice, values: dict[str, Any], segment: int | None) -> list[tuple[int, int]]:
    """Return (index, segment number) of each frame that is of the slice and of the segment."""
    numbers = [item.get("SegmentNumber") for item in values.get("SegmentSequence", [])]
    if segment is not None and segment not in numbers:
        raise AnnotationError(
            f"SEG: found segments {quote(numbers)}, expected {segment} among them"
        )
    uid = ct.identity.sop_instance_uid
    if not uid:
        raise AnnotationError(
            "SEG: the slice has no SOP Instance UID (0008,0018), expected one to refer to"
        )
    groups = _functional_groups(values)
    mine = [index for index, frame in enumerate(groups) if uid in _sources(frame)]
    if not mine:
        raise AnnotationError(
            f"SEG: found {len(groups)} frames, none of them derived from the slice, "
            "expected its SOP Instance UID among the source images (0008,2112)"
        )
    found = [(index, _segment_number(groups[index])) for index in mine]
    found = [(index, number) for index, number in found if segment in (None, number)]
    if not found:
        raise AnnotationError(f"SEG: found no frame of segment {segment} on the slice")
    size = values.get("Rows"), values.get("Columns")
    if size != ct.hu.shape:
        raise MaskSizeError(
            f"SEG: found {quote(size[0])}x{quote(size[1])} pixels, "
            f"expected {ct.hu.shape[0]}x{ct.hu.shape[1]} as the image"
        )
    for index, _ in found:
        _check_plane(groups[index], ct.plane)
    return found


def _functional_groups(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what holds for each frame: the shared groups, overridden by its own (C.7.6.16)."""
    shared = values.get("SharedFunctionalGroupsSequence") or [{}]
    frames = values.get("PerFrameFunctionalGroupsSequence", [])
    if len(frames) != values["NumberOfFrames"]:
        raise UnreadableOutlineError(
            f"SEG: found {len(frames)} Per-Frame Functional Groups (5200,9230), "
            f"expected {values['NumberOfFrames']} as NumberOfFrames (0028,0008) says"
        )
    return [{**shared[0], **frame} for frame in frames]


def _sources(frame: dict[str, Any]) -> set[str]:
    return {
        str(source.get("ReferencedSOPInstanceUID"))
        for derivation in frame.get("DerivationImageSequence", [])
        for source in derivation.get("SourceImageSequence", [])
    }


def _segment_number(frame: dict[str, Any]) -> int:
    items = frame.get("SegmentIdentificationSequence") or [{}]
    number = items[0].get("ReferencedSegmentNumber")
    if not isinstance(number, int):
        raise UnreadableOutlineError(
            f"SEG: ReferencedSegmentNumber (0062,000B): found {quote(number)}, expected a number"
        )
    return number


def _check_plane(frame: dict[str, Any], plane: Plane | None) -> None:
    """Refuse a frame that refers to the slice but lies elsewhere, or is flipped against it."""
    position = (frame.get("PlanePositionSequence") or [{}])[0].get("ImagePositionPatient")
    orientation = (frame.get("PlaneOrientationSequence") or [{}])[0].get("ImageOrientationPatient")
    if plane is None or position is None or orientation is None:
        return
    if not (
        np.allclose(position, plane.position_mm, rtol=0, atol=0.1)
        and np.allclose(orientation, plane.orientation, rtol=0, atol=0.01)
    ):
        raise AnnotationError(
            "SEG: found a frame whose plane (0020,0032), (0020,0037) is not that of the slice, "
            "expected the same within 0.1 mm"
        )


def _frame(values: dict[str, Any], index: int) -> Bool[np.ndarray, "rows cols"]:
    """Unpack one frame: bits follow each other across frames, the lowest first (PS3.5, 8.1.1)."""
    rows, columns, packed = values["Rows"], values["Columns"], values.get("PixelData")
    pixels = rows * columns
    expected = -(-values["NumberOfFrames"] * pixels // 8)
    if not isinstance(packed, bytes) or len(packed) not in (expected, expected + expected % 2):
        found = len(packed) if isinstance(packed, bytes) else 0
        raise UnreadableOutlineError(
            f"SEG: Pixel Data (7FE0,0010): found {found} bytes, expected {expected}"
        )
    first = index * pixels
    some = np.frombuffer(packed[first // 8 : -(-(first + pixels) // 8)], np.uint8)
    bits = np.unpackbits(some, bitorder="little")[first % 8 : first % 8 + pixels]
    return bits.reshape(rows, columns).astype(bool)
