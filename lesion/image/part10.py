"""DICOM Part 10 bytes -> the few attributes that were asked for, within bounds.

A hostile file can claim anything. So nothing is read that was not asked for (of a patient only
`lesion.patient` asks, which keeps nothing), a deflated dataset is inflated only as far as the byte
limit, and every read of the parser is counted, and every value of a list: millions of empty
elements, items, fragments or numbers stop at the budget.
"""

import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset, read_sequence
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from lesion.errors import (
    EmptyInputError,
    TooLargeError,
    TransferSyntaxError,
    UnknownFormatError,
    UnreadableImageError,
)
from lesion.image.bounded import MAX_READS, CountedFile, guarded
from lesion.image.file_meta import Beginning, beginning, read_file_meta
from lesion.image.values import (
    check_vr,
    described,
    is_number,
    is_text,
    numbers,
    quote,
    several,
    uid,
    vrs_of,
)
from lesion.warning import InputWarning, WarningCode

__all__ = [
    "MAX_BYTES",
    "MAX_READS",
    "RAW",
    "CountedFile",
    "Part10",
    "guarded",
    "numbers",
    "quote",
    "read",
    "several",
    "sop_class",
    "uid",
]

#: Of an object, inflated too: an Enhanced CT of 120 frames of 512x512, or a SEG of 2,000.
MAX_BYTES = 64 * 1024 * 1024

#: Asks for a value's bytes as they stand in the file: to convert a million numbers takes seconds.
RAW = bytes

#: Bytes of a value that is converted: more stay bytes, as Implicit VR alone can say them.
_LONGEST_VALUE = 65534
#: Bytes of a number, in lists of them that hold no backslash.
_NUMBER_BYTES = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "AT": 4, "FL": 4, "FD": 8}


@dataclass(frozen=True, slots=True)
class Part10:
    """What was asked for of a DICOM object.

    `transfer_syntax` and `sop_class` are UIDs, the latter of the file meta, where there is one.
    `values` maps keywords to values, those of a sequence to a list of such mappings; what the
    object lacks is absent, what pydicom cannot convert stays bytes, and all else is of the kind
    that DICOM's dictionary gives the attribute: whole numbers, numbers, text or bytes. `size` and
    `reads` are what it took: bytes when inflated, and reads of the parser. `warnings` tell where
    the file deviates from the standard.
    """

    transfer_syntax: UID
    sop_class: UID
    values: dict[str, Any]
    size: int
    reads: int
    warnings: tuple[InputWarning, ...] = ()


def read(
    data: bytes,
    wanted: Mapping[str, Any],
    *,
    transfer_syntaxes: Collection[UID],
    max_bytes: int = MAX_BYTES,
    max_reads: int = MAX_READS,
) -> Part10:
    """Read the wanted attributes of a DICOM file, and no others.

    `wanted` maps keywords to None, or to `RAW`, and those of sequences to what is wanted of their
    items.

    Raise `EmptyInputError`, `TooLargeError`, `UnknownFormatError` (no DICOM file),
    `TransferSyntaxError` (not among `transfer_syntaxes`), or `UnreadableImageError` for whatever
    else stops the parser, a value of another kind than the attribute's among it.
    """
    begins = _begins(data, max_bytes)
    tags = [_tag(keyword) for keyword in wanted]
    file = CountedFile(data, max_reads)
    file.seek(begins.at)
    with guarded("DICOM"):
        syntax, sop_class = _meta(file, begins)
        if syntax not in transfer_syntaxes:
            raise TransferSyntaxError(
                f"transfer syntax (0002,0010): found {quote(syntax)}, "
                f"expected one of {', '.join(uid.name for uid in transfer_syntaxes)}"
            )
        if syntax == DeflatedExplicitVRLittleEndian:
            file = CountedFile(_inflate(data[file.tell() :], max_bytes), file.reads_left)
        parser = _Parser(file)
        values = parser.values(_dataset(file, syntax, tags), wanted)
    return Part10(
        transfer_syntax=syntax,
        sop_class=sop_class,
        values=values,
        size=file.getbuffer().nbytes,
        reads=max_reads - file.reads_left,
        warnings=begins.warnings + parser.warnings(),
    )


def sop_class(data: bytes) -> UID:
    """Return the SOP class that a file names, which may be empty: cheaply, ahead of reading it.

    That of the file meta information (0002,0002), or, where a file has none, of its data set.
    """
    begins = _begins(data, len(data))
    file = CountedFile(data)
    file.seek(begins.at)
    with guarded("DICOM"):
        return _meta(file, begins)[1]


def _begins(data: bytes, max_bytes: int) -> Beginning:
    if not data:
        raise EmptyInputError("DICOM: found 0 bytes, expected a Part 10 file")
    if len(data) > max_bytes:
        raise TooLargeError(f"DICOM: found {len(data)} bytes, expected at most {max_bytes}")
    found = beginning(data)
    if found is None:
        raise UnknownFormatError(
            "DICOM: found neither 'DICM' at byte 128, nor file meta information or a data set at "
            "the beginning, expected a Part 10 file"
        )
    return found


def _meta(file: CountedFile, begins: Beginning) -> tuple[UID, UID]:
    """Return the transfer syntax and the SOP class; leave the file where its data set begins."""
    if begins.transfer_syntax is None:
        meta = read_file_meta(file)
        return uid(meta.get("TransferSyntaxUID")), uid(meta.get("MediaStorageSOPClassUID"))
    dataset = _dataset(file, begins.transfer_syntax, [_tag("SOPClassUID")])
    file.seek(begins.at)
    return begins.transfer_syntax, uid(dataset.get("SOPClassUID"))


def _dataset(file: CountedFile, syntax: UID, tags: list[int]) -> Dataset:
    """Read these attributes of a data set, their values still as bytes."""
    last = max(tags)
    return read_dataset(
        file,
        is_implicit_VR=syntax == ImplicitVRLittleEndian,
        is_little_endian=syntax != ExplicitVRBigEndian,
        stop_when=lambda tag, _vr, _length: tag > last,
        specific_tags=tags,
    )


def _inflate(data: bytes, max_bytes: int) -> bytes:
    """Inflate a deflated dataset (PS3.5, A.5) as far as the limit."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = stream.decompress(data, max_bytes + 1)
    if len(plain) > max_bytes:
        raise TooLargeError(
            f"deflated DICOM: found more than {max_bytes} bytes inside, expected at most that"
        )
    if not stream.eof:
        raise UnreadableImageError("deflated DICOM: found a truncated stream")
    return plain


class _Parser:
    """Converts the values of one object, at the expense of its file's budget."""

    def __init__(self, file: CountedFile) -> None:
        self._file = file
        self._misnamed: set[int] = set()

    def values(self, dataset: Dataset, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is wanted of a dataset, and of the items in it."""
        found: dict[str, Any] = {}
        for keyword, inside in wanted.items():
            tag = _tag(keyword)
            if tag not in dataset:
                continue
            if inside is None:
                found[keyword] = self._value(dataset, tag)
            elif inside is RAW:
                found[keyword] = _raw(dataset, tag)
            else:
                items = self._items(dataset, tag)
                found[keyword] = [self.values(item, inside) for item in items]
        return found

    def warnings(self) -> tuple[InputWarning, ...]:
        """Tell of which attributes the file states another VR than the dictionary's."""
        if not self._misnamed:
            return ()
        named = ", ".join(map(described, sorted(self._misnamed)))
        return (
            InputWarning(
                WarningCode.VALUE_REPRESENTATION,
                f"{named}: the value representation (VR) is another than the standard's for this "
                "attribute: the value is read as it stands",
            ),
        )

    def _value(self, dataset: Dataset, tag: int) -> Any:
        raw: Any = dataset.get_item(tag)
        found = raw.value
        as_known = check_vr(tag, stated) if (stated := _stated_vr(raw)) else None
        if isinstance(raw, RawDataElement) and isinstance(found, bytes):
            if len(found) > _LONGEST_VALUE:
                return found
            # pydicom takes a value of unknown VR for one of its dictionary's.
            self._file.spend(_count(found, stated or min(vrs_of(tag))))
        try:
            value = dataset[tag].value
        except Exception:  # pydicom raises all sorts; whoever needs the value refuses the bytes
            return found
        # Text that cannot be decoded pydicom takes for numbers, by which it could be read again.
        if is_text(tag) and any(isinstance(one, int | float) for one in several(value)):
            return found
        if as_known is None:
            return value
        self._misnamed.add(tag)
        return as_known(value)

    def _items(self, dataset: Dataset, tag: int) -> Sequence:
        """Return the items of a sequence, parsed at the expense of the same budget.

        They are taken out of the dataset: it would hold their bytes while further copies are made
        of what is in them, at every depth.
        """
        element: Any = dataset.pop(tag)
        if stated := _stated_vr(element):
            check_vr(tag, stated)
        if not isinstance(element, RawDataElement):
            return Sequence(element.value)
        value = element.value if isinstance(element.value, bytes) else b""
        inner = CountedFile(value, self._file.reads_left)
        items = read_sequence(
            inner,
            element.is_implicit_VR,
            element.is_little_endian,
            len(value),
            dataset._character_set,
        )
        self._file.reads_left = inner.reads_left
        return items


def _raw(dataset: Dataset, tag: int) -> Any:
    """Return the bytes of a value; those of a number mean nothing under another VR."""
    element: Any = dataset.get_item(tag)
    stated = _stated_vr(element)
    if stated and check_vr(tag, stated) and is_number(tag):
        raise UnreadableImageError(
            f"{described(tag)}: found VR {stated}, expected {' or '.join(sorted(vrs_of(tag)))}"
        )
    return element.value


def _stated_vr(element: Any) -> str:
    """Return the VR that a file states, which is empty where the dictionary's is meant."""
    return "" if element.VR in (None, "UN") else str(element.VR)


def _count(value: bytes, vr: str) -> int:
    """Count the values of a list, each of which becomes an object; of bytes there is no list."""
    if vr.startswith("O"):
        return 0
    of_each = _NUMBER_BYTES.get(vr[:2])
    return len(value) // of_each if of_each else value.count(b"\\")


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag
