"""Pixel Data of one frame -> the stored values, native or compressed.

Before a compressed frame is decoded, the header of its codestream must say what the dataset says
(rows, columns, one component, bits): a decoder allocates what the codestream claims. The decoders
are openjpeg, CharLS, GDCM and pylibjpeg-rle, all behind pydicom's interface, one for each syntax.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int16, UInt16
from pydicom.encaps import encapsulate, generate_fragments, get_frame, parse_basic_offsets
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from lesion.errors import TooLargeError, UnreadableImageError
from lesion.image.part10 import CountedFile, guarded

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
_JPEG_2000 = (JPEG2000Lossless, JPEG2000)
_JPEG_LS = (JPEGLSLossless, JPEGLSNearLossless)
_JPEG_LOSSLESS = (JPEGLosslessSV1, JPEGLossless)
TRANSFER_SYNTAXES = (*NATIVE, *_JPEG_2000, *_JPEG_LS, *_JPEG_LOSSLESS, RLELossless)

_DECODING_PLUGIN = {
    **dict.fromkeys((*_JPEG_2000, RLELossless), "pylibjpeg"),
    **dict.fromkeys(_JPEG_LS, "pyjpegls"),
    **dict.fromkeys(_JPEG_LOSSLESS, "gdcm"),
}

#: Incompressible noise costs a few percent more compressed than raw; a header some hundred bytes.
_MOST_OVER_RAW = 1.25
_HEADER_BYTES = 65536

#: Tiles of a JPEG 2000 codestream, for each of which a decoder allocates tables.
_MOST_TILES = 1024


@dataclass(frozen=True, slots=True)
class Layout:
    """How a frame's stored values lie in its bytes (PS3.5, 8.1): one sample of 16 bits each."""

    transfer_syntax: str
    rows: int
    columns: int
    bits_stored: int
    signed: bool

    @property
    def raw_bytes(self) -> int:
        """Bytes of the frame when it is not compressed."""
        return self.rows * self.columns * 2


#: Decodes one compressed frame whose header has been checked; raises an `InputError`.
Decode = Callable[[bytes, Layout], UInt16[np.ndarray, "rows cols"]]


def frame_words(
    pixel_data: bytes,
    layout: Layout,
    *,
    decode: Decode,
    index: int = 0,
    number_of_frames: int = 1,
    offsets: tuple[bytes, bytes] | None = None,
) -> UInt16[np.ndarray, "rows cols"]:
    """Return the words of 16 bits that one frame holds: the only one, or that of an index.

    `offsets` are the Extended Offset Table (7FE0,0001) and its lengths, where the object has them.

    Raise `UnreadableImageError` or `TooLargeError` where bytes and layout disagree.
    """
    if layout.transfer_syntax in NATIVE:
        return _native(pixel_data, layout, index, number_of_frames)
    frame = compressed_frame(
        pixel_data, layout, index=index, number_of_frames=number_of_frames, offsets=offsets
    )
    check_header(frame, layout)
    return decode(frame, layout)


def stored_values(
    words: UInt16[np.ndarray, "rows cols"], layout: Layout
) -> Int16[np.ndarray, "rows cols"] | UInt16[np.ndarray, "rows cols"]:
    """Return the stored values of words.

    Bits above Bits Stored (0028,0101) are no part of a value (PS3.5, 8.1.1): they are cleared, or
    hold its sign.
    """
    found = words.view(np.int16) if layout.signed else words
    unused = 16 - layout.bits_stored
    values = (found << unused) >> unused if unused else found
    # JPEG 2000 codes numbers, with their sign; all other syntaxes code words of bits.
    if layout.transfer_syntax in _JPEG_2000 and not np.array_equal(values, found):
        raise UnreadableImageError(
            f"JPEG 2000 codestream: found values of more than {layout.bits_stored} bits, "
            "expected Bits Stored (0028,0101)"
        )
    return values


def decode_frame(
    frame: bytes, layout: Layout, *, bits_allocated: int = 16
) -> UInt16[np.ndarray, "rows cols"]:
    """Decode one compressed frame in this process: uint16 words [rows, cols]."""
    syntax = UID(layout.transfer_syntax)
    image_pixel: dict[str, Any] = {
        "rows": layout.rows,
        "columns": layout.columns,
        "number_of_frames": 1,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
        "pixel_keyword": "PixelData",
    }
    with guarded(f"{syntax.name} frame"):
        values, _ = get_decoder(syntax).as_array(
            encapsulate([frame]), raw=True, decoding_plugin=_DECODING_PLUGIN[syntax], **image_pixel
        )
    if values.shape != (layout.rows, layout.columns):
        raise UnreadableImageError(
            f"{syntax.name} frame: found pixels of shape {list(values.shape)}, "
            f"expected {layout.rows}x{layout.columns}"
        )
    return np.ascontiguousarray(values, dtype=np.int16 if layout.signed else np.uint16).view(
        np.uint16
    )


def compressed_frame(
    pixel_data: bytes,
    layout: Layout,
    *,
    index: int = 0,
    number_of_frames: int = 1,
    offsets: tuple[bytes, bytes] | None = None,
) -> bytes:
    """Return one compressed frame, its fragments joined (PS3.5, A.4)."""
    with guarded("Pixel Data (7FE0,0010)"):
        frame = get_frame(
            CountedFile(pixel_data),
            index,
            number_of_frames=number_of_frames,
            extended_offsets=offsets,
        )
    check_length(frame, layout)
    return frame


def fragments(pixel_data: bytes) -> list[bytes]:
    """Return all fragments of encapsulated Pixel Data, less the offset table (PS3.5, A.4)."""
    with guarded("Pixel Data (7FE0,0010)"):
        file = CountedFile(pixel_data)
        parse_basic_offsets(file)
        return list(generate_fragments(file))


def check_length(frame: bytes, layout: Layout) -> None:
    """Raise `TooLargeError` for a compressed frame that is much longer than its pixels."""
    most = int(layout.raw_bytes * _MOST_OVER_RAW) + _HEADER_BYTES
    if len(frame) > most:
        raise TooLargeError(
            f"Pixel Data (7FE0,0010): found {len(frame)} bytes in a compressed frame, expected at "
            f"most {most} for {layout.rows}x{layout.columns} pixels"
        )


def check_header(frame: bytes, layout: Layout) -> None:
    """Raise unless the codestream claims the frame that the dataset describes.

    What it costs to decode is then bounded by the layout, not by the codestream.
    """
    if layout.transfer_syntax == RLELossless:
        return  # its header holds offsets only: the size is the dataset's
    if layout.transfer_syntax in _JPEG_2000:
        rows, columns, components, bits, signed = _jpeg_2000_header(frame)
    else:
        rows, columns, components, bits = _jpeg_header(frame)
        signed = layout.signed  # JPEG and JPEG-LS carry bits without a sign
    found = f"{rows}x{columns} pixels, {components} components, {bits} bits, signed {signed}"
    if (rows, columns, components, signed) != (layout.rows, layout.columns, 1, layout.signed) or (
        not layout.bits_stored <= bits <= 16
    ):
        raise UnreadableImageError(
            f"{UID(layout.transfer_syntax).name} codestream: found {found}, "
            f"expected {layout.rows}x{layout.columns} pixels, 1 components, "
            f"{layout.bits_stored} to 16 bits, signed {layout.signed}"
        )


def _native(
    pixel_data: bytes, layout: Layout, index: int, number_of_frames: int
) -> UInt16[np.ndarray, "rows cols"]:
    expected = layout.raw_bytes * number_of_frames
    if len(pixel_data) != expected:
        raise UnreadableImageError(
            f"Pixel Data (7FE0,0010): found {len(pixel_data)} bytes, expected {expected} "
            f"for {number_of_frames} x {layout.rows}x{layout.columns} pixels of 16 bits"
        )
    order = ">u2" if layout.transfer_syntax == ExplicitVRBigEndian else "<u2"
    pixels = layout.rows * layout.columns
    words = np.frombuffer(pixel_data, order, count=pixels, offset=index * layout.raw_bytes)
    return words.astype(np.uint16, copy=False).reshape(layout.rows, layout.columns)


def _jpeg_2000_header(frame: bytes) -> tuple[int, int, int, int, bool]:
    """Read rows, columns, components, bits and sign off the SIZ marker (ISO/IEC 15444-1, A.5.1).

    Not by openjpeg: it allocates tables for every tile and component before it returns the header.
    """
    size = struct.Struct(">HHHH8IHBBB")
    if len(frame) < size.size or frame[:4] != b"\xff\x4f\xff\x51":
        raise UnreadableImageError(
            "JPEG 2000 codestream: found no SOC and SIZ marker at its start, expected both"
        )
    _, _, _, _, x1, y1, x0, y0, tile_x, tile_y, tile_x0, tile_y0, components, ssiz, dx, dy = (
        size.unpack_from(frame)
    )
    if (dx, dy) != (1, 1) or not tile_x or not tile_y:
        raise UnreadableImageError(
            f"JPEG 2000 codestream: found sampling {dx}x{dy} and tiles of {tile_x}x{tile_y}, "
            "expected 1x1 and tiles of some pixels"
        )
    tiles = -(-(x1 - tile_x0) // tile_x) * -(-(y1 - tile_y0) // tile_y)
    if tiles > _MOST_TILES:
        raise TooLargeError(
            f"JPEG 2000 codestream: found {tiles} tiles, expected at most {_MOST_TILES}"
        )
    return y1 - y0, x1 - x0, components, (ssiz & 0x7F) + 1, bool(ssiz & 0x80)


def _jpeg_header(frame: bytes) -> tuple[int, int, int, int]:
    """Read rows, columns, components and bits off the frame header (ISO/IEC 10918-1, B.2.2).

    SOF3 is lossless JPEG, SOF55 JPEG-LS (ISO/IEC 14495-1, C.2.2): the same layout.
    """
    frame = frame[:_HEADER_BYTES]
    at = 2
    while frame[:2] == b"\xff\xd8" and at + 10 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker in (0xC3, 0xF7):
            bits, rows, columns, components = struct.unpack_from(">BHHB", frame, at + 4)
            return rows, columns, components, bits
        at += 2 + length
    raise UnreadableImageError(
        "JPEG codestream: found no frame header SOF3 or SOF55, expected one of them"
    )
