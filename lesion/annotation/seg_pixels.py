"""The pixels of a SEG's frames, bits or bytes, native or RLE."""

from functools import cached_property

import numpy as np
from jaxtyping import UInt8, UInt16
from pydicom.uid import RLELossless

from lesion.errors import UnreadableOutlineError
from lesion.image.frames import Layout, check_length, check_native, decode_frame, fragments
from lesion.image.part10 import Part10
from lesion.warning import InputWarning

Frame = UInt8[np.ndarray, "rows cols"] | UInt16[np.ndarray, "rows cols"]


class Pixels:
    """The frames of a SEG, each unpacked or decoded when asked for.

    `warnings` tell of bytes behind the last frame. Raise `UnreadableImageError` for fewer than the
    frames take.
    """

    def __init__(self, file: Part10) -> None:
        values = file.values
        self._shape = values["NumberOfFrames"], values["Rows"], values["Columns"]
        self._bits = values["BitsAllocated"]
        found = values.get("PixelData")
        self._data = found if isinstance(found, bytes) else b""
        self._compressed = file.transfer_syntax == RLELossless
        self.warnings = () if self._compressed else self._check_native()

    def frame(self, index: int) -> Frame:
        """Unpack or decode one frame."""
        return self._decoded(index) if self._compressed else self._native(index)

    def _decoded(self, index: int) -> UInt16[np.ndarray, "rows cols"]:
        _, rows, columns = self._shape
        layout = Layout(RLELossless, rows, columns, bits_stored=self._bits, signed=False)
        frame = self._frames[index]
        check_length(frame, layout)
        return decode_frame(frame, layout, bits_allocated=self._bits)

    @cached_property
    def _frames(self) -> list[bytes]:
        """The compressed frames, a fragment each (PS3.5, A.4.2).

        Found once: to look for each from the start takes the square of their number.
        """
        found, frames = fragments(self._data), self._shape[0]
        if frames == 1:
            return [b"".join(found)]
        if len(found) != frames:
            raise UnreadableOutlineError(
                f"SEG: Pixel Data (7FE0,0010): found {len(found)} fragments, "
                f"expected one for each of {frames} frames"
            )
        return found

    def _check_native(self) -> tuple[InputWarning, ...]:
        frames, rows, columns = self._shape
        bits = rows * columns * self._bits
        return check_native(self._data, -(-frames * bits // 8), frame_bytes=-(-bits // 8))

    def _native(self, index: int) -> Frame:
        """Unpack pixels; bits follow each other across frames, the lowest first (PS3.5, 8.1.1)."""
        _, rows, columns = self._shape
        pixels = rows * columns
        first = index * pixels
        if self._bits == 1:
            some = np.frombuffer(self._data[first // 8 : -(-(first + pixels) // 8)], np.uint8)
            unpacked = np.unpackbits(some, bitorder="little")[first % 8 : first % 8 + pixels]
        else:
            kind = np.dtype("<u2" if self._bits == 16 else "u1")
            unpacked = np.frombuffer(self._data, kind, pixels, first * kind.itemsize)
        return unpacked.reshape(rows, columns)
