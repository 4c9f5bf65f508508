"""Which of the formats that are read here some bytes are in."""

import struct
import zlib
from typing import Literal

from lesion.errors import EmptyInputError, UnknownFormatError
from lesion.image.file_meta import is_dicom
from lesion.image.raster import NPY_MAGIC, PNG_MAGIC

Format = Literal["dicom", "png", "npy"]


def sniff(data: bytes) -> Format:
    """Tell the format by its magic number; raise `UnknownFormatError` if it is none of ours."""
    if not data:
        raise EmptyInputError("image: found 0 bytes, expected DICOM, PNG or NPY")
    if is_dicom(data):
        return "dicom"
    if data.startswith(PNG_MAGIC):
        return "png"
    if data.startswith(NPY_MAGIC):
        return "npy"
    raise UnknownFormatError(
        "image: found neither 'DICM' at byte 128 nor the signature of PNG or NPY, "
        "expected one of the three"
    )


def check_not_volume(name: str, data: bytes) -> None:
    """Refuse the volumes that research tools write, and say what to send in their place.

    They hold no patient, no frame of reference and, but for their header's word, no Hounsfield
    units. Raise `UnknownFormatError` for NIfTI, Analyze, NRRD and MetaImage, compressed or not.
    """
    if kind := _volume(data):
        raise UnknownFormatError(f"{name}: found {kind}, a volume, expected {_IN_PLACE[name]}")


_IN_PLACE = {
    "image": "one slice: export it as DICOM, or save it in Hounsfield units as NPY",
    "mask": "the mask of one slice: save it as PNG or NPY, of the image's size",
    "annotation": "DICOM SEG, RTSTRUCT or SR; or as 'mask' the one slice of it, as PNG or NPY",
}

#: Of the header, as much as tells what it is.
_HEADER_BYTES = 352
_GZIP = b"\x1f\x8b"


def _volume(data: bytes) -> str:
    """Name the kind of volume that some bytes begin, or nothing."""
    header = data[:_HEADER_BYTES]
    if header.startswith(_GZIP):
        try:
            header = zlib.decompressobj(wbits=31).decompress(data[:65536], _HEADER_BYTES)
        except zlib.error:
            return ""
    size = header[:4]  # of the header itself, in the byte order of the rest
    if size in {struct.pack(order + "i", 348) for order in "<>"}:
        return "NIfTI" if header[344:348] in {b"n+1\0", b"ni1\0"} else "Analyze or NIfTI"
    if size in {struct.pack(order + "i", 540) for order in "<>"}:
        return "NIfTI"
    if header.startswith(b"NRRD"):
        return "NRRD"
    return "MetaImage" if header.startswith((b"ObjectType =", b"NDims =")) else ""
