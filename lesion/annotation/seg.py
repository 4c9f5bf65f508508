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
    RLELossless,
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
from lesion.image.frames import Layout, compressed_frame, decode_frame
from lesion.image.part10 import Part10, numbers, quote
from lesion.outline import MOST_REGIONS, Outline, from_masks

#: Bits of every frame together: 1,000 frames of 512x512 take 32 MB.
MAX_BYTES = 64 * 1024 * 1024
MOST_FRAMES_ON_SLICE = 256
#: Of those frames together: as many of 512x512. Each may be a mask of its own.
MOST_PIXELS_ON_SLICE = MOST_FRAMES_ON_SLICE * 512 * 512

#: Reads of the parser: 50 to 120 for a frame, by the writer's taste in sequences.
MAX_READS = 200_000

TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
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


def read_seg(
    data: bytes, ct: CTSlice, *, segment: int | None = None, most: int = MOST_REGIONS
) -> list[Outline]:
    """Read the outlines that a binary SEG draws on the slice, largest first in each segment.

    `segment` chooses one Segment Number (0062,0004); without it all are read, in order.

    Raise `AnnotationError` if the object is no binary SEG or its frames are not of this slice,
    `MaskSizeError` if they are of another size, `TooLargeError` for more than `most` outlines, an
    `OutlineError` if what they mark is no lesion.
    """
    try:
        file = part10.read(
            data,
            _WANTED,
            transfer_syntaxes=TRANSFER_SYNTAXES,
            max_bytes=MAX_BYTES,
            max_reads=MAX_READS,
        )
        masks = _masks(file, ct, segment)
    except UnreadableImageError as error:
        raise UnreadableOutlineError(f"SEG: {error}") from None
    marked = [masks[number] for number in sorted(masks) if masks[number].any()]
    if not marked:
        raise AnnotationError("SEG: found no marked pixel on the slice, expected a lesion")
    return from_masks(marked, shape=ct.hu.shape, most=most)


def _masks(file: Part10, ct: CTSlice, segment: int | None) -> dict[int, np.ndarray]:
    """Return the mask of each segment on the slice: the union of its frames there."""
    _check_binary(file.values)
    if not ct.identity.sop_instance_uid:
        raise AnnotationError(
            "SEG: the slice has no SOP Instance UID (0008,0018), expected one to refer to"
        )
    frames = _frames_of(ct, file.values, segment)
    _check_size(file.values, ct)
    masks: dict[int, np.ndarray] = {}
    for index, number in frames:
        mask = _frame(file, index)
        masks[number] = masks[number] | mask if number in masks else mask
    return masks


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


def _check_size(values: dict[str, Any], ct: CTSlice) -> None:
    rows, columns = values.get("Rows"), values.get("Columns")
    if (rows, columns) != ct.hu.shape:
        raise MaskSizeError(
            f"SEG: found {quote(rows)}x{quote(columns)} pixels, "
            f"expected {ct.hu.shape[0]}x{ct.hu.shape[1]} as the image"
        )


def _frames_of(ct: CTSlice, values: dict[str, Any], segment: int | None) -> list[tuple[int, int]]:
    """Return (index, segment number) of each frame that is of the slice and of the segment."""
    _check_segment(values, segment)
    frames = [
        (index, _segment_number(group), group)
        for index, group in enumerate(_functional_groups(values))
        if _derived_from(ct, group)
    ]
    if not frames:
        raise AnnotationError(
            "SEG: found no frame derived from the slice, "
            "expected its SOP Instance UID among the source images (0008,2112)"
        )
    chosen = [frame for frame in frames if segment in (None, frame[1])]
    most = min(MOST_FRAMES_ON_SLICE, MOST_PIXELS_ON_SLICE // ct.hu.size)
    if not 0 < len(chosen) <= most:
        raise (TooLargeError if chosen else AnnotationError)(
            f"SEG: found {len(chosen)} frames of the asked segments on the slice, "
            f"expected 1 to {most}"
        )
    for _, _, group in chosen:
        _check_plane(group, ct.plane)
    return [(index, number) for index, number, _ in chosen]


def _check_segment(values: dict[str, Any], segment: int | None) -> None:
    there = [item.get("SegmentNumber") for item in values.get("SegmentSequence", [])]
    if segment is not None and segment not in there:
        raise AnnotationError(f"SEG: found segments {quote(there)}, expected {segment} among them")


def _functional_groups(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what holds for each frame: the shared groups, overridden by its own (C.7.6.16)."""
    shared = values.get("SharedFunctionalGroupsSequence") or [{}]
    frames = values.get("PerFrameFunctionalGroupsSequence", [])
    if not frames or len(frames) != values.get("NumberOfFrames"):
        raise UnreadableOutlineError(
            f"SEG: found {len(frames)} Per-Frame Functional Groups (5200,9230), "
            f"expected {quote(values.get('NumberOfFrames'))} as Number of Frames (0028,0008) says"
        )
    return [{**shared[0], **frame} for frame in frames]


def _derived_from(ct: CTSlice, frame: dict[str, Any]) -> bool:
    """Tell whether the slice is among the source images of a frame."""
    return ct.identity.sop_instance_uid in {
        str(source.get("ReferencedSOPInstanceUID"))
        for derivation in frame.get("DerivationImageSequence", [])
        for source in derivation.get("SourceImageSequence", [])
    }


def _segment_number(frame: dict[str, Any]) -> int:
    number = _first(frame, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
    if not isinstance(number, int):
        raise UnreadableOutlineError(
            f"SEG: ReferencedSegmentNumber (0062,000B): found {quote(number)}, expected a number"
        )
    return number


def _check_plane(frame: dict[str, Any], plane: Plane | None) -> None:
    """Refuse a frame that refers to the slice but lies elsewhere, or is flipped against it."""
    position = _first(frame, "PlanePositionSequence", "ImagePositionPatient")
    orientation = _first(frame, "PlaneOrientationSequence", "ImageOrientationPatient")
    if plane is None or position is None or orientation is None:
        return
    found = numbers(position, 3), numbers(orientation, 6)
    if (
        found[0] is None
        or found[1] is None
        or not np.allclose(found[0], plane.position_mm, rtol=0, atol=0.1)
        or not np.allclose(found[1], plane.orientation, rtol=0, atol=0.01)
    ):
        raise AnnotationError(
            "SEG: found a frame whose plane (0020,0032), (0020,0037) is not that of the slice, "
            "expected the same within 0.1 mm"
        )


def _first(group: dict[str, Any], sequence: str, keyword: str) -> Any:
    """Return a value of the first item of a sequence, or None."""
    items = group.get(sequence) or [{}]
    return items[0].get(keyword)


def _frame(file: Part10, index: int) -> Bool[np.ndarray, "rows cols"]:
    """Unpack or decode one frame."""
    values = file.values
    rows, columns, frames = values["Rows"], values["Columns"], values["NumberOfFrames"]
    found = values.get("PixelData")
    pixel_data = found if isinstance(found, bytes) else b""
    if file.transfer_syntax != RLELossless:
        return _unpack(pixel_data, index, (frames, rows, columns))
    layout = Layout(RLELossless, rows, columns, bits_stored=1, signed=False)
    frame = compressed_frame(pixel_data, layout, index=index, number_of_frames=frames)
    return np.asarray(decode_frame(frame, layout, bits_allocated=1) != 0)


def _unpack(
    pixel_data: bytes, index: int, shape: tuple[int, int, int]
) -> Bool[np.ndarray, "rows cols"]:
    """Unpack bits, which follow each other across frames, the lowest first (PS3.5, 8.1.1)."""
    frames, rows, columns = shape
    pixels = rows * columns
    expected = -(-frames * pixels // 8)
    if len(pixel_data) not in (expected, expected + expected % 2):
        raise UnreadableOutlineError(
            f"SEG: Pixel Data (7FE0,0010): found {len(pixel_data)} bytes, expected {expected}"
        )
    first = index * pixels
    some = np.frombuffer(pixel_data[first // 8 : -(-(first + pixels) // 8)], np.uint8)
    bits = np.unpackbits(some, bitorder="little")[first % 8 : first % 8 + pixels]
    return bits.reshape(rows, columns).astype(bool)
