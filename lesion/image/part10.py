"""DICOM Part 10 bytes -> the few attributes that were asked for, within bounds.

A hostile file can claim anything. So nothing is read that was not asked for (of a patient only
`lesion.patient` asks, which keeps nothing), a deflated dataset is inflated only as far as the byte
limit, and every read of the parser is counted, and every value of a list: millions of empty
elements, items, fragments or numbers stop at the budget.
"""

import logging
import warnings
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import isfinite
from threading import Lock
from typing import Any

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR, tag_for_keyword
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
    InputError,
    TooLargeError,
    TransferSyntaxError,
    UnknownFormatError,
    UnreadableImageError,
)
from lesion.numerals import number

#: Of an object, inflated too: an Enhanced CT of 120 frames of 512x512, or a SEG of 2,000.
MAX_BYTES = 64 * 1024 * 1024

#: Reads of the parser in one object: a CT slice takes two or three hundred.
MAX_READS = 50_000

#: Asks for a value's bytes as they stand in the file: to convert a million numbers takes seconds.
RAW = bytes

#: Bytes of a value that is converted: more stay bytes, as Implicit VR alone can say them.
_LONGEST_VALUE = 65534
#: Bytes of a number, in lists of them that hold no backslash.
_NUMBER_BYTES = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "AT": 4, "FL": 4, "FD": 8}

#: Bytes of a Specific Character Set (0008,0005), which pydicom looks up wherever it finds one: of
#: ten names. To look for one that is none takes as long as some reads, for each two bytes.
_LONGEST_CHARACTER_SET = 128
_READS_A_BYTE = 4
_CHARACTER_SET = (b"\x08\x00\x05\x00", b"\x00\x08\x00\x05")

#: Bytes of an element's header. Where one is looked for and none found, the file ends well.
_LONGEST_HEADER = 8

_PREFIX = b"DICM"
_PREFIX_AT = 128
_FILE_META_GROUP = 0x0002

# pydicom quotes the values that it warns of, and no patient data may reach a log.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
# The filters of `warnings` belong to the whole process: two threads must not swap them at once.
_warning_filters = Lock()


@dataclass(frozen=True, slots=True)
class Part10:
    """What was asked for of a DICOM object.

    `transfer_syntax` and `sop_class` are UIDs, the latter of the file meta. `values` maps keywords
    to values, those of a sequence to a list of such mappings; what the object lacks is absent, and
    what pydicom cannot convert stays bytes. `size` and `reads` are what it took: bytes when
    inflated, and reads of the parser.
    """

    transfer_syntax: UID
    sop_class: UID
    values: dict[str, Any]
    size: int
    reads: int


class CountedFile(BytesIO):
    """Bytes that a parser can read from only so many times: its work is bounded."""

    def __init__(self, data: bytes, max_reads: int = MAX_READS) -> None:
        super().__init__(data)
        self.reads_left = max_reads
        self._header = b""

    def spend(self, reads: int) -> None:
        """Count work as so many reads. Raise `TooLargeError` once the budget is spent."""
        self.reads_left -= reads
        if self.reads_left < 0:
            raise TooLargeError(
                "DICOM: found more elements, items or fragments than any object of its kind holds"
            )

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, or raise `TooLargeError` once the budget is spent.

        Raise `UnreadableImageError` within a value that the file is too short for: pydicom takes
        the end of a file for that of a list, and what was listed behind it would not be missed.
        """
        self.spend(1)
        if self._header.startswith(_CHARACTER_SET):
            self._check_character_set(size or 0)
        found = super().read(size)
        self._header = found if size == _LONGEST_HEADER else b""
        if size and len(found) < size and (found or size > _LONGEST_HEADER):
            raise UnreadableImageError(
                f"DICOM: found {len(found)} bytes at its end, expected {size} of a value"
            )
        return found

    def _check_character_set(self, size: int) -> None:
        """Bound the value that a header just announced."""
        if size > _LONGEST_CHARACTER_SET:
            raise TooLargeError(
                f"Specific Character Set (0008,0005): found {size} bytes, "
                f"expected at most {_LONGEST_CHARACTER_SET}"
            )
        self.spend(_READS_A_BYTE * size)


def is_part10(data: bytes) -> bool:
    """Tell whether the bytes begin as a DICOM file does (PS3.10, 7.1)."""
    return data[_PREFIX_AT : _PREFIX_AT + len(_PREFIX)] == _PREFIX


def read(
    data: bytes,
    wanted: Mapping[str, Any],
    *,
    transfer_syntaxes: Collection[UID],
    max_bytes: int = MAX_BYTES,
    max_reads: int = MAX_READS,
) -> Part10:
    """Read the wanted attributes of a Part 10 file, and no others.

    `wanted` maps keywords to None, or to `RAW`, and those of sequences to what is wanted of their
    items.

    Raise `EmptyInputError`, `TooLargeError`, `UnknownFormatError` (no Part 10),
    `TransferSyntaxError` (not among `transfer_syntaxes`), or `UnreadableImageError` for whatever
    else stops the parser.
    """
    _check_envelope(data, max_bytes)
    tags = [_tag(keyword) for keyword in wanted]
    last = max(tags)
    file = CountedFile(data, max_reads)
    file.seek(_PREFIX_AT + len(_PREFIX))
    with guarded("DICOM"):
        meta = _meta(file)
        syntax = _transfer_syntax(meta, transfer_syntaxes)
        if syntax == DeflatedExplicitVRLittleEndian:
            file = CountedFile(_inflate(data[file.tell() :], max_bytes), file.reads_left)
        dataset = read_dataset(
            file,
            is_implicit_VR=syntax == ImplicitVRLittleEndian,
            is_little_endian=syntax != ExplicitVRBigEndian,
            stop_when=lambda tag, _vr, _length: tag > last,
            specific_tags=tags,
        )
        values = _values(dataset, wanted, file)
        return Part10(
            transfer_syntax=syntax,
            sop_class=uid(meta.get("MediaStorageSOPClassUID")),
            values=values,
            size=file.getbuffer().nbytes,
            reads=max_reads - file.reads_left,
        )


def media_sop_class(data: bytes) -> UID:
    """Return the SOP class that the file meta names (0002,0002), which may be empty."""
    _check_envelope(data, len(data))
    file = CountedFile(data)
    file.seek(_PREFIX_AT + len(_PREFIX))
    with guarded("DICOM"):
        return uid(_meta(file).get("MediaStorageSOPClassUID"))


@contextmanager
def silenced() -> Iterator[None]:
    """Let no library warn: its warnings quote the values of files."""
    with _warning_filters, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn whatever a parser or decoder raises into `UnreadableImageError`, without its words.

    They may quote the file's values, and so may warnings, which are silenced.
    """
    with silenced():
        try:
            yield
        except InputError:
            raise
        except MemoryError:
            raise TooLargeError(f"{what}: found bytes that need too much memory") from None
        except Exception as error:  # hostile input raises anything, RecursionError included
            if isinstance(error.__context__, InputError):  # ours, which the parser took for its own
                raise error.__context__ from None
            raise UnreadableImageError(
                f"{what}: found bytes that cannot be parsed ({type(error).__name__})"
            ) from None


def uid(value: object) -> UID:
    """Return a value of a file as a UID, which may be empty or none at all; never warn of it."""
    return UID(str(value or ""), validation_mode=IGNORE)


def quote(value: object) -> str:
    """Quote a value of a file for a message: in ASCII, and only so much; none if there is none."""
    if value is None or value == "":
        return "none"
    # Not all of megabytes, only to quote their beginning.
    text = ascii(str(value[:72] if isinstance(value, str | bytes) else value))
    return text if len(text) <= 72 else f"{text[:68]}...'"


def numbers(found: object, count: int) -> tuple[float, ...] | None:
    """Return a value as so many finite numbers; None if it is anything else."""
    values = several(found)
    if not all(isinstance(value, str | float | int) for value in values):
        return None
    try:
        # A Decimal String as it was written: pydicom reads it as Python's source would be.
        read = tuple(number(str(value)) for value in values)
    except ValueError:
        return None
    return read if len(read) == count and all(map(isfinite, read)) else None


def several(found: Any) -> list[Any]:
    """Return a value of any multiplicity as a list."""
    if found is None or isinstance(found, str | bytes | float | int):
        return [] if found in (None, "") else [found]
    return list(found)


def _check_envelope(data: bytes, max_bytes: int) -> None:
    if not data:
        raise EmptyInputError("DICOM: found 0 bytes, expected a Part 10 file")
    if len(data) > max_bytes:
        raise TooLargeError(f"DICOM: found {len(data)} bytes, expected at most {max_bytes}")
    if not is_part10(data):
        raise UnknownFormatError(
            f"DICOM: found no 'DICM' at byte {_PREFIX_AT}, expected a Part 10 file"
        )


def _meta(file: CountedFile) -> Dataset:
    """Read the file meta information, which is always Explicit VR Little Endian (PS3.10, 7.1)."""
    return read_dataset(
        file,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag >> 16 != _FILE_META_GROUP,
        specific_tags=[_tag("MediaStorageSOPClassUID"), _tag("TransferSyntaxUID")],
    )


def _transfer_syntax(meta: Dataset, known: Collection[UID]) -> UID:
    found = uid(meta.get("TransferSyntaxUID"))
    if found not in known:
        raise TransferSyntaxError(
            f"transfer syntax (0002,0010): found {quote(found.name)}, "
            f"expected one of {', '.join(uid.name for uid in known)}"
        )
    return found


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


def _values(dataset: Dataset, wanted: Mapping[str, Any], file: CountedFile) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword, inside in wanted.items():
        tag = _tag(keyword)
        if tag not in dataset:
            continue
        if inside is None:
            found[keyword] = _value(dataset, tag, file)
        elif inside is RAW:
            found[keyword] = dataset.get_item(tag).value
        else:
            found[keyword] = [_values(item, inside, file) for item in _items(dataset, tag, file)]
    return found


def _value(dataset: Dataset, tag: int, file: CountedFile) -> Any:
    raw: Any = dataset.get_item(tag)
    found = raw.value
    if isinstance(raw, RawDataElement) and isinstance(found, bytes):
        if len(found) > _LONGEST_VALUE:
            return found
        # pydicom takes a value of unknown VR for one of its dictionary's.
        file.spend(_count(found, dictionary_VR(tag) if raw.VR in (None, "UN") else raw.VR))
    try:
        return dataset[tag].value
    except Exception:  # pydicom raises all sorts; whoever needs the value refuses the bytes
        return found


def _count(value: bytes, vr: str) -> int:
    """Count the values of a list, each of which becomes an object; of bytes there is no list."""
    if vr.startswith("O"):
        return 0
    of_each = _NUMBER_BYTES.get(vr[:2])
    return len(value) // of_each if of_each else value.count(b"\\")


def _items(dataset: Dataset, tag: int, file: CountedFile) -> Sequence:
    """Return the items of a sequence, parsed at the expense of the same budget.

    They are taken out of the dataset: it would hold their bytes while further copies are made of
    what is in them, at every depth.
    """
    element: Any = dataset.pop(tag)
    if not isinstance(element, RawDataElement):
        return Sequence(element.value) if element.VR == "SQ" else Sequence()
    value = element.value if isinstance(element.value, bytes) else b""
    inner = CountedFile(value, file.reads_left)
    items = read_sequence(
        inner, element.is_implicit_VR, element.is_little_endian, len(value), dataset._character_set
    )
    file.reads_left = inner.reads_left
    return items


def _tag(keyword: str) -> int:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise KeyError(keyword)
    return tag
