"""Bounds on pydicom: how much its parser may read, and that it logs nothing.

A hostile file can claim anything, so every read of the parser is counted. pydicom's warnings quote
values, and no patient data may reach a log, so they are switched off for the whole process.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from pydicom import config

from lesion.errors import InputError, TooLargeError, UnreadableImageError

#: Reads of the parser in one object: a CT slice takes two or three hundred.
MAX_READS = 50_000

#: Bytes of a Specific Character Set (0008,0005), which pydicom looks up wherever it finds one: of
#: ten names. To look for one that is none takes as long as some reads, for each two bytes.
_LONGEST_CHARACTER_SET = 128
_READS_A_BYTE = 4
_CHARACTER_SET = (b"\x08\x00\x05\x00", b"\x00\x08\x00\x05")

#: Bytes of an element's header. Where one is looked for and none found, the file ends well.
_LONGEST_HEADER = 8

# For the whole process and for good: the filters of `warnings` belong to all threads, so they
# cannot be changed around each file. Values are checked where they are used.
config.settings.reading_validation_mode = config.IGNORE
warnings.filterwarnings("ignore", module=r"(pydicom|highdicom)(\.|$)")
logging.getLogger("pydicom").setLevel(logging.CRITICAL)


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


@contextmanager
def guarded(what: str) -> Iterator[None]:
    """Turn whatever a parser or decoder raises into `UnreadableImageError`, without its words.

    They may quote the file's values.
    """
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
