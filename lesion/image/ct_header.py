"""What the header of a CT image says: attributes checked one by one, for `lesion.image.dicom`."""

from typing import Any

import numpy as np
from pydicom.uid import (
    UID,
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from lesion.ct import Plane, SliceIdentity
from lesion.errors import (
    LocalizerError,
    MultiFrameError,
    NotCTError,
    PixelFormatError,
    UnreadableImageError,
)
from lesion.image import part10
from lesion.image.frames import Layout
from lesion.image.limits import check_size, check_spacing_mm
from lesion.image.part10 import Part10, numbers, quote, several

SOP_CLASSES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)

#: How far cosines (0020,0037), which writers round, may be from unit length and right angles.
_SKEW = 0.001


def check_ct(file: Part10) -> UID:
    """Return the SOP class: CT is decided by it and by Modality (0008,0060)."""
    values = file.values
    sop_class = part10.uid(values.get("SOPClassUID")) or file.sop_class
    if sop_class not in SOP_CLASSES:
        raise NotCTError(
            f"SOP class (0008,0016): found {quote(sop_class)}, "
            f"expected one of {', '.join(known.name for known in SOP_CLASSES)}"
        )
    if values.get("Modality") != "CT":
        raise NotCTError(
            f"Modality (0008,0060): found {quote(values.get('Modality'))}, expected 'CT'"
        )
    check_not_localizer(values)
    frames = values.get("NumberOfFrames")
    if sop_class == CTImageStorage and frames not in (None, "", 1):
        raise MultiFrameError(
            f"Number of Frames (0028,0008): found {quote(frames)}, "
            f"expected 1 or none in {CTImageStorage.name}"
        )
    return sop_class


def check_not_localizer(values: dict[str, Any]) -> None:
    """Raise `LocalizerError` where Image Type (0008,0008), or a frame's, says that it is one."""
    if "LOCALIZER" in several(values.get("ImageType")):
        raise LocalizerError("Image Type (0008,0008): found LOCALIZER, expected an axial slice")


def read_spacing_mm(values: dict[str, Any]) -> tuple[float, float]:
    """Read Pixel Spacing (0028,0030): mm between rows, then between columns."""
    found = values.get("PixelSpacing")
    return check_spacing_mm("Pixel Spacing (0028,0030)", numbers(found, 2), quote(found))


def read_layout(file: Part10) -> Layout:
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


def read_pixel_data(values: dict[str, Any]) -> bytes:
    """Return Pixel Data (7FE0,0010), native or encapsulated."""
    found = values.get("PixelData")
    if not isinstance(found, bytes):
        raise UnreadableImageError("Pixel Data (7FE0,0010): found none, expected pixels")
    return found


def read_extended_offsets(values: dict[str, Any]) -> tuple[bytes, bytes] | None:
    """Return the Extended Offset Table (7FE0,0001) and its lengths (7FE0,0002), where given."""
    table, lengths = (
        values.get(keyword) for keyword in ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
    )
    if isinstance(table, bytes) and isinstance(lengths, bytes) and table and lengths:
        return table, lengths
    return None


def read_identity(file: Part10, sop_class: UID) -> SliceIdentity:
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


def read_plane(values: dict[str, Any]) -> Plane | None:
    """Return the plane, or None where what the file says spans none."""
    position = numbers(values.get("ImagePositionPatient"), 3)
    orientation = numbers(values.get("ImageOrientationPatient"), 6)
    if position is None or orientation is None:
        return None
    axes = np.reshape(orientation, (2, 3))
    if not np.allclose(axes @ axes.T, np.eye(2), rtol=0, atol=_SKEW):
        return None
    return Plane(position, orientation)
