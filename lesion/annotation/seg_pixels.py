"""The pixels of one frame of a SEG, bits or bytes, native or RLE."""

import numpy as np
from jaxtyping import UInt8, UInt16
from pydicom.uid import RLELossless

from lesion.errors import UnreadableOutlineError
from lesion.image.frames import Layout, compressed_frame, decode_frame
from lesion.image.part10 import Part10


def unpack(
    file: Part10, index: int
) -> UInt8[np.ndarray, "rows cols"] | UInt16[np.ndarray, "rows cols"]:
    """Unpack or decode one frame."""
    values = file.values
    rows, columns, frames = values["Rows"], values["Columns"], values["NumberOfFrames"]
    bits = values["BitsAllocated"]
    found = values.get("PixelData")
    pixel_data = found if isinstance(found, bytes) else b""
    if file.transfer_syntax != RLELossless:
        return _native(pixel_data, index, (frames, rows, columns), bits)
    layout = Layout(RLELossless, rows, columns, bits_stored=bits, signed=False)
    frame = compressed_frame(pixel_data, layout, index=index, number_of_frames=frames)
    return decode_frame(frame, layout, bits_allocated=bits)


def _native(
    pixel_data: bytes, index: int, shape: tuple[int, int, int], bits: int
) -> UInt8[np.ndarray, "rows cols"] | UInt16[np.ndarray, "rows cols"]:
    """Unpack pixels; bits follow each other across frames, the lowest first (PS3.5, 8.1.1)."""
    frames, rows, columns = shape
    pixels = rows * columns
    expected = -(-frames * pixels * bits // 8)
    if len(pixel_data) not in (expected, expected + expected % 2):
        raise UnreadableOutlineError(
            f"SEG: Pixel Data (7FE0,0010): found {len(pixel_data)} bytes, expected {expected}"
        )
    first = index * pixels
    if bits == 1:
        some = np.frombuffer(pixel_data[first // 8 : -(-(first + pixels) // 8)], np.uint8)
        unpacked = np.unpackbits(some, bitorder="little")[first % 8 : first % 8 + pixels]
    else:
        kind = np.dtype("<u2" if bits == 16 else "u1")
        unpacked = np.frombuffer(pixel_data, kind, pixels, first * kind.itemsize)
    return unpacked.reshape(rows, columns)
