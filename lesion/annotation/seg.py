"""A DICOM Segmentation (PS3.3, A.51) -> the outlines of its segments on slices.

Binary, fractional and label map alike, read with pydicom within the bounds of
`lesion.image.part10`, frame by frame: only those that lie on the slices are unpacked.
"""

from collections.abc import Sequence
from typing import Any

from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
    SegmentationStorage,
)

from lesion.annotation.marked import Marked, Sieve, warned
from lesion.annotation.seg_frames import FrameOnSlice, frames_of
from lesion.annotation.seg_masks import largest_masks
from lesion.annotation.seg_pixels import Pixels
from lesion.annotation.structure import CODE, Structure, concept_of, text_of
from lesion.ct import CTSlice, Place
from lesion.errors import (
    AnnotationError,
    MaskSizeError,
    OutlineError,
    UnreadableImageError,
    UnreadableOutlineError,
)
from lesion.image import groups, part10
from lesion.image.part10 import quote
from lesion.outline import MOST_REGIONS, Outline, from_masks
from lesion.warning import REFERENCE_BY_GEOMETRY, SLICES_MISSING, InputWarning

LabelMapSegmentationStorage = UID("1.2.840.10008.5.1.4.1.1.66.7")

#: Reads of the parser: 50 to 120 for a frame, by the writer's taste in sequences.
MAX_READS = 200_000

TRANSFER_SYNTAXES = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
)

#: What is said of each type (0062,0001): its SOP class, and how many bits a pixel may take.
_TYPES = {
    "BINARY": (SegmentationStorage, (1,)),
    "FRACTIONAL": (SegmentationStorage, (8,)),
    "LABELMAP": (LabelMapSegmentationStorage, (8, 16)),
}

_GROUPS: dict[str, Any] = {
    "SegmentIdentificationSequence": {"ReferencedSegmentNumber": None},
    "DerivationImageSequence": {
        "SourceImageSequence": {"ReferencedSOPInstanceUID": None, "ReferencedFrameNumber": None}
    },
    "PlanePositionSequence": {"ImagePositionPatient": None},
    "PlaneOrientationSequence": {"ImageOrientationPatient": None},
    "PixelMeasuresSequence": {"PixelSpacing": None},
}
_WANTED: dict[str, Any] = {
    "SOPClassUID": None,
    "FrameOfReferenceUID": None,
    "SegmentationType": None,
    "MaximumFractionalValue": None,
    "NumberOfFrames": None,
    "Rows": None,
    "Columns": None,
    "BitsAllocated": None,
    "SegmentSequence": {
        "SegmentNumber": None,
        "SegmentLabel": None,
        "SegmentedPropertyCategoryCodeSequence": CODE,
        "SegmentedPropertyTypeCodeSequence": CODE,
        "TrackingID": None,
        "TrackingUID": None,
    },
    groups.SHARED: _GROUPS,
    groups.PER_FRAME: _GROUPS,
    "PixelData": None,
}


def read_seg(
    data: bytes, ct: CTSlice, *, segment: int | None = None, most: int = MOST_REGIONS
) -> list[Outline]:
    """Read the outlines that a SEG draws on one slice, as `read_segments` does on several."""
    select = None if segment is None else str(segment)
    marked = read_segments(data, [ct.place], select=select, most=most)
    return [lesion.outline for lesion in marked]


def read_segments(
    data: bytes,
    places: Sequence[Place],
    *,
    select: str | None = None,
    most: int = MOST_REGIONS,
    sieve: Sieve | None = None,
) -> list[Marked]:
    """Read the lesions that the segments mark on one of the slices each: where they cover most.

    Ordered by segment, and in each the largest first. `select` chooses a segment by its number
    (0062,0004) or its label; without it all are read that `sieve` keeps. What is fractional is
    marked from half its maximum on; number 0 of a label map is its background.

    Raise `AnnotationError` if the object is no SEG or its frames are not of the slices,
    `MaskSizeError` if they are of another size, `TooLargeError` for more than `most` outlines, an
    `OutlineError` if nothing that they mark is a lesion.
    """
    sieve = sieve or Sieve()
    try:
        file = part10.read(
            data,
            _WANTED,
            transfer_syntaxes=TRANSFER_SYNTAXES,
            max_reads=MAX_READS,
        )
        _check_type(file.values)
        asked = _asked(file.values, select, sieve)
        frames, missing = frames_of(file.values, places, asked)
        _check_sizes(file.values, frames, places)
        pixels = Pixels(file)
        chosen = largest_masks(file, pixels, frames, places, asked, most=most)
    except UnreadableImageError as error:
        raise UnreadableOutlineError(f"SEG: {error}") from None
    if not chosen:
        raise AnnotationError("SEG: found no marked pixel on the slice, expected a lesion")
    shape = places[chosen[0].slice_index].shape
    outlines = from_masks([one.mask for one in chosen], shape=shape, most=most)
    slices_missing = (SLICES_MISSING,) if missing and len(places) > 1 else ()
    by_geometry = {(frame.number, frame.slice_index) for frame in frames if frame.by_geometry}
    marked: list[Marked] = []
    for (number, index, _), of_one in zip(chosen, outlines, strict=True):
        if isinstance(of_one, OutlineError):
            sieve.fail(asked[number], of_one)
            continue
        warnings: tuple[InputWarning, ...] = slices_missing
        if by_geometry & {(number, index), (None, index)}:
            warnings = (REFERENCE_BY_GEOMETRY, *warnings)
        marked += [Marked(index, outline, asked[number], warnings) for outline in of_one]
    sieve.check_any(marked)
    return warned(marked, file.warnings + pixels.warnings)


def _check_type(values: dict[str, Any]) -> None:
    kind = values.get("SegmentationType")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise AnnotationError(
            f"SEG: SegmentationType (0062,0001): found {quote(kind)}, "
            f"expected one of {list(_TYPES)}"
        )
    sop_class, depths = _TYPES[kind]
    for keyword, tag, allowed in (
        ("SOPClassUID", "(0008,0016)", (sop_class,)),
        ("BitsAllocated", "(0028,0100)", depths),
    ):
        if (found := values.get(keyword)) not in allowed:
            expected = " or ".join(map(str, allowed))
            raise AnnotationError(
                f"SEG: {keyword} {tag}: found {quote(found)}, expected {expected} in a {kind} one"
            )
    most = values.get("MaximumFractionalValue")
    if kind == "FRACTIONAL" and not (isinstance(most, int) and 1 <= most <= 255):
        raise AnnotationError(
            f"SEG: MaximumFractionalValue (0062,000E): found {quote(most)}, expected 1 to 255"
        )


def _check_sizes(
    values: dict[str, Any], frames: Sequence[FrameOnSlice], places: Sequence[Place]
) -> None:
    rows, columns = values.get("Rows"), values.get("Columns")
    whole = isinstance(rows, int) and isinstance(columns, int)  # 512.0 is what a file may hold too
    for frame in frames:
        shape = places[frame.slice_index].shape
        if not whole or (rows, columns) != shape:
            raise MaskSizeError(
                f"SEG: found {quote(rows)}x{quote(columns)} pixels, "
                f"expected {shape[0]}x{shape[1]} as the image"
            )


def _asked(values: dict[str, Any], select: str | None, sieve: Sieve) -> dict[int, Structure]:
    """Return the segments that are asked for, by number."""
    segments = [
        Structure(
            number,
            label=text_of(segment.get("SegmentLabel")),
            tracking_id=text_of(segment.get("TrackingID")),
            tracking_uid=text_of(segment.get("TrackingUID")),
            concept=concept_of(segment.get("SegmentedPropertyTypeCodeSequence", [])),
            category=concept_of(segment.get("SegmentedPropertyCategoryCodeSequence", [])),
        )
        for segment in values.get("SegmentSequence", [])
        if isinstance(number := segment.get("SegmentNumber"), int)
    ]
    if select is None:
        segments = [segment for segment in segments if segment.number != 0]
    return sieve.choose(segments, select, "SEG: segments")
