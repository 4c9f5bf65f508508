"""One DICOM CT image -> a slice in Hounsfield units, or the reason why not.

Refuse, never guess: a slice whose units, spacing or layout the file does not state is no slice.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool, UInt16
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from lesion.ct import AIR_HU, CTSlice, Plane, SliceIdentity
from lesion.errors import (
    LocalizerError,
    MultiFrameError,
    NotCTError,
    PixelFormatError,
    RescaleError,
    UnreadableImageError,
)
from lesion.image import part10
from lesion.image.frames import (
    TRANSFER_SYNTAXES,
    Decode,
    Layout,
    decode_frame,
    frame_words,
    stored_values,
)
from lesion.image.limits import check_size, check_spacing_mm
from lesion.image.part10 import Part10, numbers, quote, several

_ENHANCED = (EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
_WANTED = dict.fromkeys(
    (
        "ImageType",
        "SOPClassUID",
        "SOPInstanceUID",
        "Modality",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "ImagePositionPatient",
        "ImageOrientationPatient",
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
        "RescaleIntercept",
        "RescaleSlope",
        "RescaleType",
        "PixelData",
    )
)


def read_ct(data: bytes, *, decode: Decode = decode_frame) -> CTSlice:
    """Read a single-frame CT image (PS3.3, A.3) from the bytes of a Part 10 file.

    `decode` turns a compressed frame into pixels; pass a `lesion.image.sandbox.Sandbox` for files
    of unknown origin. Raise the `InputError` that names what is wrong.
    """
    file = part10.read(data, _WANTED, transfer_syntaxes=TRANSFER_SYNTAXES)
    _check_ct(file)
    spacing_mm = _spacing_mm(file.values)
    slope, intercept = _rescale(file.values)
    layout = _layout(file)
    words = frame_words(_pixel_data(file.values), layout, decode=decode)
    stored = stored_values(words, layout)
    hu = stored.astype(np.float32)
    hu *= np.float32(slope)
    hu += np.float32(intercept)
    padding = _padding(file.values, stored, words)
    if padding is not None:
        hu[padding] = AIR_HU
    return CTSlice(hu, spacing_mm, padding, _identity(file), _plane(file.values))


def _check_ct(file: Part10) -> None:
    """CT is decided by Modality (0008,0060) and by the SOP class."""
    values = file.values
    sop_class = part10.uid(values.get("SOPClassUID")) or file.sop_class
    if sop_class in _ENHANCED:
        raise MultiFrameError(
            f"SOP class (0008,0016): found {sop_class.name}, expected {CTImageStorage.name}; "
            "send the one slice as a single-frame image"
        )
    if sop_class != CTImageStorage:
        raise NotCTError(
            f"SOP class (0008,0016): found {quote(sop_class.name)}, expected {CTImageStorage.name}"
        )
    if values.get("Modality") != "CT":
        raise NotCTError(
            f"Modality (0008,0060): found {quote(values.get('Modality'))}, expected 'CT'"
        )
    if "LOCALIZER" in several(values.get("ImageType")):
        raise LocalizerError("Image Type (0008,0008): found LOCALIZER, expected an axial slice")
    frames = values.get("NumberOfFrames")
    if frames not in (None, "", 1):
        raise MultiFrameError(
            f"Number of Frames (0028,0008): found {quote(frames)}, expected 1 or none"
        )


def _spacing_mm(values: dict[str, Any]) -> tuple[float, float]:
    """Read Pixel Spacing (0028,0030): mm between rows, then between columns."""
    found = values.get("PixelSpacing")
    return check_spacing_mm("Pixel Spacing (0028,0030)", numbers(found, 2), quote(found))


def _rescale(values: dict[str, Any]) -> tuple[float, float]:
    """Read Rescale Slope (0028,1053) and Intercept (0028,1052).

    An absent Rescale Type (0028,1054) means HU for a CT image (PS3.3, C.8.2.1); another means that
    the values are something else, such as a material's density.
    """
    kind = values.get("RescaleType")
    if kind not in (None, "", "HU"):
        raise RescaleError(f"Rescale Type (0028,1054): found {quote(kind)}, expected 'HU' or none")
    slope = numbers(values.get("RescaleSlope"), 1)
    intercept = numbers(values.get("RescaleIntercept"), 1)
    if slope is None or not 0 < slope[0] <= 100:
        raise RescaleError(
            f"Rescale Slope (0028,1053): found {quote(values.get('RescaleSlope'))}, "
            "expected a number above 0 and at most 100"
        )
    if intercept is None or abs(intercept[0]) > 1e5:
        raise RescaleError(
            f"Rescale Intercept (0028,1052): found {quote(values.get('RescaleIntercept'))}, "
            "expected a number within -100000 to 100000"
        )
    return slope[0], intercept[0]


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
        raise UnreadableImageError("Pixel Data (7FE0,0010): found none, expected one frame")
    return found


def _padding(
    values: dict[str, Any], stored: np.ndarray, words: UInt16[np.ndarray, "rows cols"]
) -> Bool[np.ndarray, "rows cols"] | None:
    """Mark the pixels that were never measured (PS3.3, C.7.5.1.1.2).

    Those from Pixel Padding Value (0028,0120) to Pixel Padding Range Limit (0028,0121), either way
    round, in stored values; or in whole words, by writers whose value needs bits above Bits Stored.
    """
    value, limit = (
        values.get(keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
    )
    if value in (None, ""):
        return None
    ends = [value, value if limit in (None, "") else limit]
    if not all(isinstance(end, int) for end in ends):
        raise PixelFormatError(
            f"Pixel Padding (0028,0120), (0028,0121): found {quote(ends)}, expected whole numbers"
        )
    # Writers disagree on the sign of these (US or SS): the same 16 bits are meant.
    low, high = sorted(np.array([end & 0xFFFF for end in ends], np.uint16).view(stored.dtype))
    padding: np.ndarray = (stored >= low) & (stored <= high)
    if not np.shares_memory(stored, words):
        whole = words.view(stored.dtype)
        padding |= (whole >= low) & (whole <= high)
    return padding if padding.any() else None


def _identity(file: Part10) -> SliceIdentity:
    """Return the UIDs, empty where the file lacks them or holds something else in their place."""

    def valid(keyword: str) -> str:
        found = part10.uid(file.values.get(keyword))
        return str(found) if found.is_valid else ""

    return SliceIdentity(
        sop_class_uid=valid("SOPClassUID") or str(file.sop_class),
        sop_instance_uid=valid("SOPInstanceUID"),
        series_instance_uid=valid("SeriesInstanceUID"),
        study_instance_uid=valid("StudyInstanceUID"),
    )


def _plane(values: dict[str, Any]) -> Plane | None:
    position = numbers(values.get("ImagePositionPatient"), 3)
    orientation = numbers(values.get("ImageOrientationPatient"), 6)
    if position is None or orientation is None:
        return None
    return Plane(position, orientation)
