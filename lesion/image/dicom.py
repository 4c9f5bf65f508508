"""A DICOM CT image -> slices in Hounsfield units, or the reason why not.

Refuse, never guess: a slice whose units, spacing or layout the file does not state is no slice.
Opening an image costs its header; a frame is decoded when it is asked for.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from lesion.ct import CTSlice, Place, Plane, SliceIdentity
from lesion.errors import (
    LocalizerError,
    MultiFrameError,
    NotCTError,
    PixelFormatError,
    TooLargeError,
    UnreadableImageError,
)
from lesion.image import groups, part10
from lesion.image.frames import (
    TRANSFER_SYNTAXES,
    Decode,
    Layout,
    decode_frame,
    frame_words,
)
from lesion.image.hounsfield import read_rescale, to_hounsfield
from lesion.image.limits import check_size, check_spacing_mm
from lesion.image.part10 import MAX_BYTES, MAX_READS, Part10, numbers, quote, several
from lesion.warning import InputWarning

CLASSES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)

#: Reads of the parser in a multi-frame image: some hundred for a frame, by the writer's taste.
MAX_READS_ENHANCED = 200_000

#: Frames of one image: whole-body scans in slices of 0.5 mm have as many.
MOST_FRAMES = 4096

#: How far cosines (0020,0037), which writers round, may be from unit length and right angles.
_SKEW = 0.001

_PLANE = dict.fromkeys(("ImagePositionPatient", "ImageOrientationPatient"))
_RESCALE = dict.fromkeys(("RescaleIntercept", "RescaleSlope", "RescaleType"))
_GROUPS: dict[str, Any] = {
    "PixelMeasuresSequence": {"PixelSpacing": None},
    "PlanePositionSequence": {"ImagePositionPatient": None},
    "PlaneOrientationSequence": {"ImageOrientationPatient": None},
    "PixelValueTransformationSequence": _RESCALE,
    "CTImageFrameTypeSequence": {"FrameType": None},
}
_WANTED: dict[str, Any] = {
    **dict.fromkeys(
        (
            "ImageType",
            "SOPClassUID",
            "SOPInstanceUID",
            "Modality",
            "StudyInstanceUID",
            "SeriesInstanceUID",
            "FrameOfReferenceUID",
            "SamplesPerPixel",
            "PhotometricInterpretation",
            "NumberOfFrames",
            "Rows",
            "Columns",
            "PixelSpacing",
            "BitsAllocated",
            "BitsStored",
            "HighBit",
            "PixelRepresentation",
            "PixelPaddingValue",
            "PixelPaddingRangeLimit",
            "ExtendedOffsetTable",
            "ExtendedOffsetTableLengths",
            "PixelData",
        )
    ),
    **_PLANE,
    **_RESCALE,
    groups.SHARED: _GROUPS,
    groups.PER_FRAME: _GROUPS,
}


@dataclass(frozen=True, slots=True)
class CTImage:
    """A CT image that was opened: its frames' places, one for a single-frame image.

    `attributes` hold for each frame what a single-frame image says once: a mapping of keywords.
    `warnings` tell what of the file deviates from the standard and was read all the same.
    """

    places: tuple[Place, ...]
    file: Part10
    layout: Layout
    attributes: tuple[dict[str, Any], ...]
    warnings: tuple[InputWarning, ...] = ()


def read_ct(data: bytes, *, frame: int | None = None, decode: Decode = decode_frame) -> CTSlice:
    """Read one frame of a CT image (PS3.3, A.3 or A.38) from the bytes of a Part 10 file.

    `frame` counts from 1, and may be left out where there is one frame only. `decode` turns a
    compressed frame into pixels; pass a `lesion.image.sandbox.Sandbox` for files of unknown origin.
    Raise the `InputError` that names what is wrong.
    """
    image = open_ct(data)
    return slice_of(image, chosen_frame(image, frame), decode=decode)


def open_ct(
    data: bytes, *, max_bytes: int = MAX_BYTES, max_reads: int = MAX_READS_ENHANCED
) -> CTImage:
    """Read all but the pixels of a CT image.

    The bounds may be narrower than one image's, where it is one of many. Raise the `InputError`
    that names what is wrong.
    """
    enhanced = part10.sop_class(data) in CLASSES[1:]
    file = part10.read(
        data,
        _WANTED,
        transfer_syntaxes=TRANSFER_SYNTAXES,
        max_bytes=max_bytes,
        max_reads=min(max_reads, MAX_READS_ENHANCED if enhanced else MAX_READS),
    )
    sop_class = _check_ct(file)
    identity = _identity(file, sop_class)
    if sop_class == CTImageStorage:
        attributes = [file.values]
        identities = [identity]
    else:
        attributes = _frames(file.values)
        identities = [replace(identity, frame_number=n + 1) for n in range(len(attributes))]
    spacings_mm = [_spacing_mm(values) for values in attributes]
    layout = _layout(file)
    return CTImage(
        tuple(
            Place((layout.rows, layout.columns), spacing_mm, one, _plane(values))
            for spacing_mm, values, one in zip(spacings_mm, attributes, identities, strict=True)
        ),
        file,
        layout,
        tuple(attributes),
        file.warnings,
    )


def chosen_frame(image: CTImage, number: int | None) -> int:
    """Return the index of a frame by its number, or of the only one."""
    count = len(image.places)
    if number is None and count == 1:
        return 0
    if number is None or not 1 <= number <= count:
        raise MultiFrameError(
            f"frame: found {'none chosen' if number is None else number}, "
            f"expected one of 1 to {count} as the image holds"
        )
    return number - 1


def slice_of(image: CTImage, index: int, *, decode: Decode = decode_frame) -> CTSlice:
    """Decode one frame, the first of index 0, to Hounsfield units."""
    place, values, layout = image.places[index], image.attributes[index], image.layout
    if "LOCALIZER" in several(values.get("ImageType")):
        raise LocalizerError("Image Type (0008,0008): found LOCALIZER, expected an axial slice")
    rescale = read_rescale(values)
    frame = frame_words(
        _pixel_data(image.file.values),
        layout,
        index=index,
        number_of_frames=len(image.places),
        offsets=_extended_offsets(image.file.values),
        decode=decode,
    )
    hu, padding, warnings = to_hounsfield(frame, image.file.values, rescale, layout)
    return CTSlice(
        hu,
        place.spacing_mm,
        padding,
        place.identity,
        place.plane,
        warnings=image.warnings + warnings,
    )


def _frames(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the attributes of each frame of an Enhanced CT image, out of its functional groups."""
    try:
        frames = groups.frames_of(values)
    except UnreadableImageError as error:
        raise MultiFrameError(f"Enhanced CT: {error}") from None
    if len(frames) > MOST_FRAMES:
        raise TooLargeError(
            f"Enhanced CT: found {len(frames)} frames, expected at most {MOST_FRAMES}"
        )
    return [
        {
            "PixelSpacing": groups.first(frame, "PixelMeasuresSequence", "PixelSpacing"),
            "ImageType": groups.first(frame, "CTImageFrameTypeSequence", "FrameType"),
            "ImagePositionPatient": groups.first(
                frame, "PlanePositionSequence", "ImagePositionPatient"
            ),
            "ImageOrientationPatient": groups.first(
                frame, "PlaneOrientationSequence", "ImageOrientationPatient"
            ),
            **{
                keyword: groups.first(frame, "PixelValueTransformationSequence", keyword)
                for keyword in _RESCALE
            },
        }
        for frame in frames
    ]


def _check_ct(file: Part10) -> UID:
    """Return the SOP class: CT is decided by it and by Modality (0008,0060)."""
    values = file.values
    sop_class = part10.uid(values.get("SOPClassUID")) or file.sop_class
    if sop_class not in CLASSES:
        raise NotCTError(
            f"SOP class (0008,0016): found {quote(sop_class)}, "
            f"expected one of {', '.join(known.name for known in CLASSES)}"
        )
    if values.get("Modality") != "CT":
        raise NotCTError(
            f"Modality (0008,0060): found {quote(values.get('Modality'))}, expected 'CT'"
        )
    if "LOCALIZER" in several(values.get("ImageType")):
        raise LocalizerError("Image Type (0008,0008): found LOCALIZER, expected an axial slice")
    frames = values.get("NumberOfFrames")
    if sop_class == CTImageStorage and frames not in (None, "", 1):
        raise MultiFrameError(
            f"Number of Frames (0028,0008): found {quote(frames)}, "
            f"expected 1 or none in {CTImageStorage.name}"
        )
    return sop_class


def _spacing_mm(values: dict[str, Any]) -> tuple[float, float]:
    """Read Pixel Spacing (0028,0030): mm between rows, then between columns."""
    found = values.get("PixelSpacing")
    return check_spacing_mm("Pixel Spacing (0028,0030)", numbers(found, 2), quote(found))


def _layout(file: Part10) -> Layout:
    """Check the Image Pixel module against that of a CT image (PS3.3, C.8.2.1.1)."""
    values = file.values
    for keyword, tag, allowed in (
        ("PhotometricInterpretation", "(0028,0004)", ("MONOCHROME1", "MONOCHROME2")),
        ("SamplesPerPixel", "(0028,0002)", (1,)),
        ("BitsAllocated", "(0028,0100)", (16,)),
        ("BitsStored", "(0028,0101)", range(1, 17)),
        ("PixelRepresentation", "(0028,0103)", (0, 1)),
    ):
        if values.get(keyword) not in allowed:
            raise PixelFormatError(
                f"{keyword} {tag}: found {quote(values.get(keyword))}, "
                f"expected one of {list(allowed)}"
            )
    if values.get("HighBit") != values["BitsStored"] - 1:
        raise PixelFormatError(
            f"HighBit (0028,0102): found {quote(values.get('HighBit'))}, "
            f"expected {values['BitsStored'] - 1}, one less than BitsStored"
        )
    rows, columns = check_size(
        "Rows (0028,0010) x Columns (0028,0011)", values.get("Rows"), values.get("Columns")
    )
    return Layout(
        transfer_syntax=file.transfer_syntax,
        rows=rows,
        columns=columns,
        bits_stored=values["BitsStored"],
        signed=values["PixelRepresentation"] == 1,
    )


def _pixel_data(values: dict[str, Any]) -> bytes:
    found = values.get("PixelData")
    if not isinstance(found, bytes):
        raise UnreadableImageError("Pixel Data (7FE0,0010): found none, expected pixels")
    return found


def _extended_offsets(values: dict[str, Any]) -> tuple[bytes, bytes] | None:
    """Return the Extended Offset Table (7FE0,0001) and its lengths (7FE0,0002), where given."""
    table, lengths = (
        values.get(keyword) for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
    )
    if isinstance(table, bytes) and isinstance(lengths, bytes) and table and lengths:
        return table, lengths
    return None


def _identity(file: Part10, sop_class: UID) -> SliceIdentity:
    """Return the UIDs, empty where the file lacks them or holds something else in their place."""

    def valid(keyword: str) -> str:
        found = part10.uid(file.values.get(keyword))
        return str(found) if found.is_valid else ""

    return SliceIdentity(
        sop_class_uid=str(sop_class),
        sop_instance_uid=valid("SOPInstanceUID"),
        series_instance_uid=valid("SeriesInstanceUID"),
        study_instance_uid=valid("StudyInstanceUID"),
        frame_of_reference_uid=valid("FrameOfReferenceUID"),
    )


def _plane(values: dict[str, Any]) -> Plane | None:
    """Return the plane, or None where what the file says spans none."""
    position = numbers(values.get("ImagePositionPatient"), 3)
    orientation = numbers(values.get("ImageOrientationPatient"), 6)
    if position is None or orientation is None:
        return None
    axes = np.reshape(orientation, (2, 3))
    if not np.allclose(axes @ axes.T, np.eye(2), rtol=0, atol=_SKEW):
        return None
    return Plane(position, orientation)
