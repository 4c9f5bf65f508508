"""What the header of a compressed frame claims: JPEG 2000, JPEG-LS and lossless JPEG.

A decoder allocates what it claims, so it is read here first, without one.
"""

import struct
from typing import NamedTuple

from pydicom.uid import JPEG2000, JPEG2000Lossless

from lesion.errors import TooLargeError, UnreadableImageError

JPEG_2000 = (JPEG2000Lossless, JPEG2000)

#: Bytes within which a JPEG says what it holds.
HEADER_BYTES = 65536

#: Tiles of a JPEG 2000 codestream, for each of which a decoder allocates tables.
_MOST_TILES = 1024

#: The first box of a JP2 file, and how many boxes may stand before the codestream's
#: (ISO/IEC 15444-1, I.5.1): four are usual.
_JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_MOST_BOXES = 64


class Header(NamedTuple):
    """Rows, columns, components and bits; `signed` is None in JPEG, which codes no sign."""

    rows: int
    columns: int
    components: int
    bits: int
    signed: bool | None

    def __str__(self) -> str:
        sign = "" if self.signed is None else f", signed {self.signed}"
        return (
            f"{self.rows}x{self.columns} pixels, {self.components} components, "
            f"{self.bits} bits{sign}"
        )


def read_header(frame: bytes, transfer_syntax: str) -> Header:
    """Read the header of a codestream; raise unless it has one whose tiles can be decoded."""
    return _jpeg_2000(frame) if transfer_syntax in JPEG_2000 else _jpeg(frame)


def without_jp2(frame: bytes) -> bytes:
    """Return the codestream of a JP2 file (ISO/IEC 15444-1, I.5.4), and all else as it is.

    Raise `UnreadableImageError` for one whose boxes hold none.
    """
    if not frame.startswith(_JP2_SIGNATURE):
        return frame
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 16 > len(frame):
            break
        size, kind = struct.unpack_from(">L4s", frame, at)
        begin = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", frame, begin)
            begin += 8
        end = at + size if size else len(frame)  # 0: the last box, to the end of the file
        if not begin <= end <= len(frame):
            break
        if kind == b"jp2c":
            return frame[begin:end]
        at = end
    raise UnreadableImageError(
        "JP2 file: found boxes without a codestream, expected one of type 'jp2c'"
    )


def _jpeg_2000(frame: bytes) -> Header:
    """Read the SIZ marker (ISO/IEC 15444-1, A.5.1).

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
    return Header(y1 - y0, x1 - x0, components, (ssiz & 0x7F) + 1, bool(ssiz & 0x80))


def _jpeg(frame: bytes) -> Header:
    """Read the frame header (ISO/IEC 10918-1, B.2.2).

    SOF3 is lossless JPEG, SOF55 JPEG-LS (ISO/IEC 14495-1, C.2.2): the same layout.
    """
    frame = frame[:HEADER_BYTES]
    at = 2
    while frame[:2] == b"\xff\xd8" and at + 10 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker in (0xC3, 0xF7):
            bits, rows, columns, components = struct.unpack_from(">BHHB", frame, at + 4)
            return Header(rows, columns, components, bits, None)
        at += 2 + length
    raise UnreadableImageError(
        "JPEG codestream: found no frame header SOF3 or SOF55, expected one of them"
    )
