"""PNG and NPY -> a slice in Hounsfield units, or a mask.

Both formats say their size in a header, which is checked before a pixel is decoded.
"""

import numpy as np

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
NPY_MAGIC = np.lib.format.MAGIC_PREFIX

#: A float64 array of the largest size takes 32 MB.
MAX_BYTES = 40 * 1024 * 1024


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
    pixels = _png(data)
    if pixels.dtype == np.uint16:
        if window is not None:
            raise PixelFormatError("PNG: found 16 bits and a window, expected 8 bits with a window")
        hu = pixels.astype(np.float32) - np.float32(1024)
    else:
        low, high = _window(window)
        hu = (low + pixels * ((high - low) / 255)).astype(np.float32)
    return CTSlice(hu, _spacing(spacing_mm))


def read_npy(data: bytes, *, spacing_mm: tuple[float, float] | None = None) -> CTSlice:
    """Read an NPY array [rows, cols] of HU: real numbers, all finite.

    Raise an `InputError` for anything else.
    """
    array = _npy(data)
    if array.dtype.kind not in "iuf":
        raise PixelFormatError(f"NPY: found dtype {array.dtype}, expected real numbers")
    with np.errstate(over="ignore"):  # what is too large for float32 is not finite then
        hu = array.astype(np.float32)
    if not np.isfinite(hu).all():
        raise PixelFormatError("NPY: found NaN or infinite values, expected finite HU")
    return CTSlice(hu, _spacing(spacing_mm))


def read_mask(data: bytes) -> Bool[np.ndarray, "rows cols"]:
    """Read a mask from PNG (greyscale, 1, 8 or 16 bits) or NPY: what is not zero is lesion."""
    if data.startswith(PNG_MAGIC):
        return _png(data) != 0
    array = _npy(data)
    if array.dtype.kind not in "biuf":
        raise PixelFormatError(f"NPY: found dtype {array.dtype}, expected numbers or booleans")
    return array != 0
