"""PNG and NPY -> a slice in Hounsfield units, or a mask.

Both formats say their size in a header, which is checked before a pixel is decoded.
"""

import struct
from io import BytesIO
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt
from numpy.lib import format as npy
from PIL import Image

from lesion.ct import CTSlice
from lesion.errors import (
    EmptyInputError,
    PixelFormatError,
    TooLargeError,
    UnknownFormatError,
    UnreadableImageError,
    UnreadableParameterError,
)
from lesion.image.limits import check_size, check_spacing_mm
from lesion.image.part10 import guarded

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
NPY_MAGIC: bytes = npy.MAGIC_PREFIX

#: A float64 array of the largest size takes 32 MB.
MAX_BYTES = 40 * 1024 * 1024

#: No tissue or metal comes near: larger numbers are no HU, and their squares overflow.
_MOST_HU = 1e6

_GREYSCALE = 0

#: Pillow's modes of greyscale, by bit depth.
_MODES = {1: "1", 2: "L", 4: "L", 8: "L", 16: "I;16"}


def read_png(
    data: bytes,
    *,
    spacing_mm: tuple[float, float] | None = None,
    window: tuple[float, float] | None = None,
) -> CTSlice:
    """Read a greyscale PNG: 16 bits, HU = value - 1024; or 8 bits with the window they span.

    `window` is (low, high) in HU: 0 stands for low, 255 for high. Raise an `InputError` for
    anything else.
    """
    _check_optional_spacing(spacing_mm)
    pixels = _png(data, depths=(8, 16))
    if pixels.dtype != np.uint8:
        if window is not None:
            raise PixelFormatError("PNG: found 16 bits and a window, expected no window")
        return CTSlice(pixels.astype(np.float32) - np.float32(1024), spacing_mm)
    if window is None:
        raise PixelFormatError("PNG: found 8 bits, expected 16; or the window that 8 bits span")
    low, high = window
    if not -_MOST_HU <= low < high <= _MOST_HU:
        raise UnreadableParameterError(
            f"window: found {low:g},{high:g}, expected two HU, the lower first"
        )
    return CTSlice((low + pixels * ((high - low) / 255)).astype(np.float32), spacing_mm)


def read_npy(data: bytes, *, spacing_mm: tuple[float, float] | None = None) -> CTSlice:
    """Read an NPY array [rows, cols] of HU: real numbers, all finite.

    Raise an `InputError` for anything else.
    """
    _check_optional_spacing(spacing_mm)
    array = _npy(data, kinds="iuf")
    if not (np.abs(array.astype(np.float64)) <= _MOST_HU).all():
        raise PixelFormatError(
            f"NPY: found values that are NaN or beyond {_MOST_HU:g}, expected finite HU"
        )
    return CTSlice(array.astype(np.float32), spacing_mm)


def read_mask(data: bytes) -> Bool[np.ndarray, "rows cols"]:
    """Read a mask from PNG (greyscale) or NPY: what is not zero is lesion."""
    if data.startswith(PNG_MAGIC):
        return np.asarray(_png(data, depths=(1, 2, 4, 8, 16)) != 0)
    return np.asarray(_npy(data, kinds="biuf") != 0)


def _check_optional_spacing(spacing_mm: tuple[float, float] | None) -> None:
    if spacing_mm is not None:
        check_spacing_mm("spacing_mm", spacing_mm, f"{spacing_mm}")


def _check_length(data: bytes, what: str) -> None:
    if not data:
        raise EmptyInputError(f"{what}: found 0 bytes, expected a file")
    if len(data) > MAX_BYTES:
        raise TooLargeError(f"{what}: found {len(data)} bytes, expected at most {MAX_BYTES}")


def _png(data: bytes, *, depths: tuple[int, ...]) -> UInt[np.ndarray, "rows cols"]:
    """Decode a greyscale PNG of one of these bit depths: uint8, or uint16 for 16 bits."""
    _check_length(data, "PNG")
    if not data.startswith(PNG_MAGIC):
        raise UnknownFormatError("PNG: found no PNG signature, expected one")
    header = struct.Struct(">4x4sIIBB")  # the IHDR chunk comes first (ISO/IEC 15948, 11.2.2)
    if len(data) < len(PNG_MAGIC) + header.size:
        raise UnreadableImageError(f"PNG: found {len(data)} bytes, expected a whole header")
    chunk, columns, rows, depth, colour = header.unpack_from(data, len(PNG_MAGIC))
    if chunk != b"IHDR" or colour != _GREYSCALE or depth not in depths:
        raise PixelFormatError(
            f"PNG: found colour type {colour} with {depth} bits, "
            f"expected greyscale ({_GREYSCALE}) with {' or '.join(map(str, depths))}"
        )
    check_size("PNG", rows, columns)
    with guarded("PNG"), Image.open(BytesIO(data), formats=["PNG"]) as image:
        # A later IHDR replaces the first, which alone was checked; nothing is decoded so far.
        if (image.mode, image.size) != (_MODES[depth], (columns, rows)):
            raise UnreadableImageError("PNG: found a second header, expected one")
        pixels = np.asarray(image)
    return pixels.astype(np.uint16 if depth == 16 else np.uint8, copy=False)


def _npy(data: bytes, *, kinds: str) -> np.ndarray:
    """Read a two-dimensional array of one of these NumPy kinds; its data is never unpickled."""
    _check_length(data, "NPY")
    if not data.startswith(NPY_MAGIC):
        raise UnknownFormatError("NPY: found no NPY signature, expected one")
    shape, fortran_order, dtype, start = _npy_header(data)
    if len(shape) != 2 or dtype.kind not in kinds:
        raise PixelFormatError(
            f"NPY: found {dtype.kind!a} of {dtype.itemsize} bytes in {len(shape)} dimensions, "
            f"expected numbers (one of {kinds!a}) [rows, columns]"
        )
    rows, columns = check_size("NPY", *shape)
    expected = rows * columns * dtype.itemsize
    if len(data) - start != expected:
        raise UnreadableImageError(
            f"NPY: found {len(data) - start} bytes of data, expected {expected}"
        )
    flat = np.frombuffer(data, dtype, offset=start)
    return flat.reshape((rows, columns), order="F" if fortran_order else "C")


def _npy_header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, Fortran order, dtype and where the data starts."""
    file = BytesIO(data)
    with guarded("NPY"):
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran_order, dtype = read(file)
        return shape, fortran_order, dtype, file.tell()
