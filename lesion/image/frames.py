"""Pixel Data of one frame -> the stored values, native or compressed.

Before a compressed frame is decoded, the header of its codestream must say what the dataset says
(rows, columns, one component): a decoder allocates what the codestream claims. Of bits and sign the
codestream's own rule (PS3.5, 8.2). The decoders are openjpeg, CharLS, GDCM and pylibjpeg-rle, all
behind pydicom's interface, one for each syntax.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int16, UInt16
from pydicom.encaps import encapsulate, generate_fragments, get_frame, parse_basic_offsets
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from lesion.errors import TooLargeError, UnreadableImageError
from lesion.image.bounded import CountedFile, guarded
from lesion.image.codestream import HEADER_BYTES, JPEG_2000, read_header, without_jp2
from lesion.warning import InputWarning, WarningCode

NATIVE = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)
_JPEG_LS = (JPEGLSLossless, JPEGLSNearLossless)
_JPEG_LOSSLESS = (JPEGLosslessSV1, JPEGLossless)
TRANSFER_SYNTAXES = (*NATIVE, *JPEG_2000, *_JPEG_LS, *_JPEG_LOSSLESS, RLELossless)

_DECODING_PLUGIN = {
    **dict.fromkeys((*JPEG_2000, RLELossless), "pylibjpeg"),
    **dict.fromkeys(_JPEG_LS, "pyjpegls"),
    **dict.fromkeys(_JPEG_LOSSLESS, "gdcm"),
}

#: Incompressible noise costs a few percent more compressed than raw; a header some hundred bytes.
_MOST_OVER_RAW = 1.25

#: The Item (FFFE,E000) that begins encapsulated Pixel Data (PS3.5, A.4).
_ITEM = b"\xfe\xff\x00\xe0"


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


class Words(NamedTuple):
    """The words of 16 bits that a frame holds, and how its values lie in them.

    `layout` is the dataset's, or the codestream's own where it rules. `warnings` tell where the
    frame deviates from what the standard says of it.
    """

    words: UInt16[np.ndarray, "rows cols"]
    layout: Layout
    warnings: tuple[InputWarning, ...] = ()


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
) -> Words:
    """Return the words that one frame holds: the only one, or that of an index.

    `offsets` are the Extended Offset Table (7FE0,0001) and its lengths, where the object has them.

    Raise `UnreadableImageError` or `TooLargeError` where bytes and layout disagree.
    """
    if layout.transfer_syntax in NATIVE:
        return _native(pixel_data, layout, index, number_of_frames)
    frame = compressed_frame(
        pixel_data, layout, index=index, number_of_frames=number_of_frames, offsets=offsets
    )
    plain = without_jp2(frame) if layout.transfer_syntax in JPEG_2000 else frame
    coded = coded_layout(plain, layout)
    warnings = (_JP2,) * (plain is not frame)
    if coded != layout:
        warnings += (_precision(coded, layout),)
    return Words(decode(plain, coded), coded, warnings)


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
    if layout.transfer_syntax in JPEG_2000 and not np.array_equal(values, found):
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
    most = int(layout.raw_bytes * _MOST_OVER_RAW) + HEADER_BYTES
    if len(frame) > most:
        raise TooLargeError(
            f"Pixel Data (7FE0,0010): found {len(frame)} bytes in a compressed frame, expected at "
            f"most {most} for {layout.rows}x{layout.columns} pixels"
        )


def coded_layout(frame: bytes, layout: Layout) -> Layout:
    """Return how values lie in a codestream; raise unless it is of the frame that was described.

    Where it holds fewer bits than Bits Stored, or in JPEG 2000 another sign, its own rule (PS3.5,
    8.2): the dataset's describe how it might be decompressed. JPEG and JPEG-LS code no sign: codes
    of fewer bits are numbers without one, and have no single meaning as numbers with one.

    What it costs to decode is then bounded by the layout, not by the codestream.
    """
    if layout.transfer_syntax == RLELossless:
        return layout  # its header holds offsets only: the size is the dataset's
    found = read_header(frame, layout.transfer_syntax)
    least = layout.bits_stored if found.signed is None and layout.signed else 1
    if found[:3] != (layout.rows, layout.columns, 1) or not least <= found.bits <= 16:
        raise UnreadableImageError(
            f"{UID(layout.transfer_syntax).name} codestream: found {found}, "
            f"expected {layout.rows}x{layout.columns} pixels, 1 components, "
            f"{least} to 16 bits{' of signed values' if layout.signed else ''}"
        )
    signed = layout.signed if found.signed is None else found.signed
    if signed == layout.signed and found.bits >= layout.bits_stored:
        return layout
    return replace(layout, bits_stored=found.bits, signed=signed)


def check_native(pixel_data: bytes, expected: int, *, frame_bytes: int) -> tuple[InputWarning, ...]:
    """Hold native Pixel Data against the bytes that all frames take, padded to be even.

    What is longer by less than a frame is read, and warned of, as every reader does: the pixels
    come first (PS3.5, 8.1.1). A frame too many means that the number of frames, or their size, is
    wrong. Raise `UnreadableImageError` for that, for too little, and for what is encapsulated after
    all, whose pixels stand elsewhere.
    """
    excess = len(pixel_data) - expected - expected % 2
    encapsulated = excess > 0 and pixel_data.startswith(_ITEM)
    if len(pixel_data) < expected or excess >= frame_bytes or encapsulated:
        raise UnreadableImageError(
            f"Pixel Data (7FE0,0010): found {len(pixel_data)} bytes"
            f"{', encapsulated' if encapsulated else ''}, expected {expected}, "
            f"or up to {frame_bytes - 1} more"
        )
    if excess <= 0:
        return ()
    return (
        InputWarning(
            WarningCode.EXCESS_PIXEL_DATA,
            f"Pixel Data (7FE0,0010) is {excess} bytes longer than its pixels: "
            "the last are left out",
        ),
    )


def _native(pixel_data: bytes, layout: Layout, index: int, number_of_frames: int) -> Words:
    warnings = check_native(
        pixel_data, layout.raw_bytes * number_of_frames, frame_bytes=layout.raw_bytes
    )
    order = ">u2" if layout.transfer_syntax == ExplicitVRBigEndian else "<u2"
    pixels = layout.rows * layout.columns
    words = np.frombuffer(pixel_data, order, count=pixels, offset=index * layout.raw_bytes)
    words = words.astype(np.uint16, copy=False).reshape(layout.rows, layout.columns)
    return Words(words, layout, warnings)


_JP2 = InputWarning(
    WarningCode.JP2_HEADER,
    "the compressed frame is a JP2 file, expected a codestream alone: what stands around it is "
    "left out",
)


def _precision(coded: Layout, layout: Layout) -> InputWarning:
    def said(of: Layout) -> str:
        return f"{of.bits_stored} bits, {'signed' if of.signed else 'unsigned'}"

    return InputWarning(
        WarningCode.CODESTREAM_PRECISION,
        f"the codestream holds values of {said(coded)}, the dataset says {said(layout)}: "
        "the codestream is followed",
    )
