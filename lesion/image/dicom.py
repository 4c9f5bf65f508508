"""A DICOM CT image -> slices in Hounsfield units, or the reason why not.

Refuse, never guess: a slice whose units, spacing or layout the file does not state is no slice.
Opening an image costs its header; a frame is decoded when it is asked for.
"""

from dataclasses import dataclass, replace
from typing import Any

from pydicom.uid import CTImageStorage

from lesion.ct import CTSlice, Place
from lesion.errors import MultiFrameError, TooLargeError, UnreadableImageError
from lesion.image import groups, part10
from lesion.image.ct_header import (
    SOP_CLASSES,
    check_ct,
    check_not_localizer,
    read_extended_offsets,
    read_identity,
    read_layout,
    read_pixel_data,
    read_plane,
    read_spacing_mm,
)
from lesion.image.frames import TRANSFER_SYNTAXES, Decode, Layout, decode_frame, frame_words
from lesion.image.hounsfield import read_rescale, to_hounsfield
from lesion.image.part10 import MAX_BYTES, MAX_READS, Part10
from lesion.warning import InputWarning

#: Reads of the parser in a multi-frame image: some hundred for a frame, by the writer's taste.
MAX_READS_ENHANCED = 200_000

#: Frames of one image: whole-body scans in slices of 0.5 mm have as many.
MOST_FRAMES = 4096

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
    enhanced = part10.sop_class(data) in SOP_CLASSES[1:]
    file = part10.read(
        data,
        _WANTED,
        transfer_syntaxes=TRANSFER_SYNTAXES,
        max_bytes=max_bytes,
        max_reads=min(max_reads, MAX_READS_ENHANCED if enhanced else MAX_READS),
    )
    sop_class = check_ct(file)
    identity = read_identity(file, sop_class)
    if sop_class == CTImageStorage:
        attributes = [file.values]
        identities = [identity]
    else:
        attributes = _frames(file.values)
        identities = [replace(identity, frame_number=n + 1) for n in range(len(attributes))]
    spacings_mm = [read_spacing_mm(values) for values in attributes]
    layout = read_layout(file)
    return CTImage(
        tuple(
            Place((layout.rows, layout.columns), spacing_mm, one, read_plane(values))
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
    check_not_localizer(values)
    rescale = read_rescale(values)
    frame = frame_words(
        read_pixel_data(image.file.values),
        layout,
        index=index,
        number_of_frames=len(image.places),
        offsets=read_extended_offsets(image.file.values),
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
