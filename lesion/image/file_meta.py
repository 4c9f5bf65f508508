"""Where a DICOM file begins, and what its file meta information says (PS3.10, 7.1).

Behind a preamble of 128 bytes and `DICM`, as the standard has it; or, as old archives and dumps of
C-STORE leave files, with `DICM`, with the file meta information, or with the data set itself.
"""

import struct
from typing import NamedTuple

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import Tag
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from lesion.image.bounded import CountedFile
from lesion.image.values import DICOM_ROOT
from lesion.warning import InputWarning, WarningCode

_PREFIX = b"DICM"
_PREFIX_AT = 128
_GROUP = 0x0002
_SOP_CLASS = 0x00080016

#: Elements before SOP Class UID (0008,0016): a length, a character set, a type, dates and times.
_MOST_BEFORE = 16

_VRS = frozenset(VR)

NO_PREAMBLE = InputWarning(
    WarningCode.NO_PREAMBLE,
    "the file lacks its preamble of 128 bytes and 'DICM': it begins with what stands behind them",
)
NO_FILE_META = InputWarning(
    WarningCode.NO_FILE_META,
    "the file lacks its file meta information: its transfer syntax is told by its first element",
)


class Beginning(NamedTuple):
    """Where the file meta information begins; or the data set, where a file has none.

    `transfer_syntax` is then the data set's, and None otherwise: the file meta information names
    it. `warnings` tell what is missing.
    """

    at: int
    transfer_syntax: UID | None = None
    warnings: tuple[InputWarning, ...] = ()


def beginning(data: bytes) -> Beginning | None:
    """Find where a DICOM file begins; None in bytes that are none."""
    if is_part10(data):
        at = _PREFIX_AT + len(_PREFIX)
    else:
        at = len(_PREFIX) if data.startswith(_PREFIX) else 0
    if _is_file_meta(data, at):
        return Beginning(at, None, () if at > _PREFIX_AT else (NO_PREAMBLE,))
    if syntax := _syntax_of_data_set(data, at):
        return Beginning(at, syntax, (NO_FILE_META,))
    # With a preamble it is a file, whatever follows: the parser says what is wrong with it.
    return Beginning(at) if at > _PREFIX_AT else None


def is_part10(data: bytes) -> bool:
    """Tell whether the bytes begin as the standard has it: a preamble, then `DICM`."""
    return data[_PREFIX_AT : _PREFIX_AT + len(_PREFIX)] == _PREFIX


def is_dicom(data: bytes) -> bool:
    """Tell whether the bytes begin as a DICOM file does, whole or not."""
    return beginning(data) is not None


def read_file_meta(file: CountedFile) -> Dataset:
    """Read the file meta information, which is always Explicit VR Little Endian (PS3.10, 7.1)."""
    return read_dataset(
        file,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag >> 16 != _GROUP,
        specific_tags=[Tag("MediaStorageSOPClassUID"), Tag("TransferSyntaxUID")],
    )


def _is_file_meta(data: bytes, at: int) -> bool:
    return data[at : at + 2] == struct.pack("<H", _GROUP) and _vr(data[at + 4 : at + 6]) != ""


def _syntax_of_data_set(data: bytes, at: int) -> UID | None:
    """Return in which syntax a data set begins; None where none does.

    Junk is none: the elements must be of group 0008, in order, and name a SOP class of DICOM's.
    """
    implicit = not _vr(data[at + 4 : at + 6])
    previous = -1
    for _ in range(_MOST_BEFORE):
        if len(data) < at + 12:
            break
        tag, begin, size = _header(data, at, implicit=implicit)
        if not previous < tag <= _SOP_CLASS or tag >> 16 != _SOP_CLASS >> 16:
            break
        if tag == _SOP_CLASS:
            named = data[begin : begin + min(size, 64)].startswith(DICOM_ROOT.encode())
            syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
            return syntax if named else None
        previous, at = tag, begin + size
    return None


def _header(data: bytes, at: int, *, implicit: bool) -> tuple[int, int, int]:
    """Read an element's header (PS3.5, 7.1): its tag, where its value begins, and its length."""
    group, element, size = struct.unpack_from("<HHL", data, at)
    if implicit:
        return group << 16 | element, at + 8, size
    if _vr(data[at + 4 : at + 6]) in EXPLICIT_VR_LENGTH_32:
        return group << 16 | element, at + 12, *struct.unpack_from("<L", data, at + 8)
    return group << 16 | element, at + 8, *struct.unpack_from("<H", data, at + 6)


def _vr(found: bytes) -> str:
    """Return two bytes as the VR that they name; empty where they name none."""
    name = found.decode("latin-1")
    return name if name in _VRS else ""
