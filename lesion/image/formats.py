"""Which of the formats that are read here some bytes are in."""

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
