"""Checks the VR of a file's values, and quotes values in messages without patient data.

A file states a value representation (VR, PS3.5, 6.2) with each value, which may differ from that of
DICOM's dictionary. A number is read under any VR of numbers or text, and text under any VR of text;
anything else under a wrong VR is refused.
"""

from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_description, dictionary_VR
from pydicom.multival import MultiValue
from pydicom.uid import UID
from pydicom.valuerep import STR_VR

from lesion.errors import UnreadableImageError
from lesion.numerals import number

#: The root of DICOM's own UIDs (PS3.5, 9.1).
DICOM_ROOT = "1.2.840.10008."

_WHOLE = frozenset({"IS", "US", "SS", "UL", "SL", "UV", "SV"})
_NUMBERS = _WHOLE | {"DS", "FL", "FD"}
_TEXTS = frozenset(map(str, STR_VR))

#: Defined terms (PS3.3) that an attribute may hold where another was expected. All other text of a
#: file is somebody's own, and may be a name.
_TERMS = (
    # Modality (0008,0060) and Photometric Interpretation (0028,0004)
    "CR CT DX IO KO MG MR NM OT PR PT PX RF RG RTDOSE RTIMAGE RTPLAN RTSTRUCT SEG SM SR US XA",
    "MONOCHROME1 MONOCHROME2 RGB YBR_FULL YBR_FULL_422 YBR_ICT YBR_RCT YBR_PARTIAL_420",
    # Rescale Type (0028,1054) and Segmentation Type (0062,0001)
    "HU HU_MOD OD MGML Z_EFF ED EDW PCT",
    "BINARY FRACTIONAL LABELMAP",
    # Graphic Type (0070,0023)
    "POINT MULTIPOINT POLYLINE POLYGON CIRCLE ELLIPSE ELLIPSOID",
)
_KNOWN_TERMS = frozenset(term for line in _TERMS for term in line.split()) | {"PALETTE COLOR"}

#: Below it a float holds every whole number.
_LARGEST_WHOLE = 2**53
_LONGEST_NUMBER = 24
_MOST_QUOTED = 6


@cache  # of few: what is refused is not kept
def check_vr(tag: int, stated: str) -> Callable[[Any], Any] | None:
    """Check the VR that a file states with an attribute.

    Return None where it is the dictionary's; what turns a value into one of the dictionary's where
    it is another of the same kind. Raise `UnreadableImageError` where it is of another kind.
    """
    known = vrs_of(tag)
    if stated in known:
        return None
    if stated in _NUMBERS | _TEXTS and known <= _WHOLE:
        return _whole
    if stated in _NUMBERS | _TEXTS and known <= _NUMBERS:
        return _unchanged
    if stated in _TEXTS and known <= _TEXTS:
        return _unchanged if known == {"PN"} else _text
    raise UnreadableImageError(
        f"{described(tag)}: found VR {stated if _is_vr(stated) else 'unknown'}, "
        f"expected {' or '.join(sorted(known))}"
    )


@cache
def vrs_of(tag: int) -> frozenset[str]:
    """Return the VRs of an attribute: of some there are two, by what else the file says."""
    return frozenset(dictionary_VR(tag).split(" or "))


def is_number(tag: int) -> bool:
    """Tell whether an attribute holds numbers."""
    return vrs_of(tag) <= _NUMBERS


def is_text(tag: int) -> bool:
    """Tell whether an attribute holds text that is no number."""
    return vrs_of(tag) <= _TEXTS - _NUMBERS


def described(tag: int) -> str:
    """Name an attribute, for a message."""
    return f"{dictionary_description(tag)} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def uid(value: object) -> UID:
    """Return a value of a file as a UID, which may be empty or none at all; never warn of it."""
    return UID(str(value or ""), validation_mode=IGNORE)


def quote(value: object) -> str:
    """Say in a message what a file holds: numbers, UIDs and terms of the standard as they are.

    Everything else is described, not quoted: text may be a name, whatever the attribute, and an
    item of a sequence may hold anything.
    """
    if value is None or (isinstance(value, str | bytes) and not value):
        return "none"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str):
        return _quote_text(value)
    if isinstance(value, int | float):
        text = str(float(value) if isinstance(value, float) else int(value))
        return text if len(text) <= _LONGEST_NUMBER else f"a number of {len(text)} digits"
    return _quote_all(list(value)) if isinstance(value, list | MultiValue) else "something else"


def _quote_text(text: str) -> str:
    if isinstance(text, UID):
        known = text.startswith(DICOM_ROOT) and text.is_valid
        return ascii(text.name) if known else "a UID that is not DICOM's"
    return ascii(str(text)) if text in _KNOWN_TERMS else f"text of {len(text)} characters"


def _quote_all(values: list[Any]) -> str:
    if any(not isinstance(value, str | bytes | int | float) for value in values):
        return f"{len(values)} items"
    quoted = ", ".join(map(quote, values[:_MOST_QUOTED]))
    return f"[{quoted}{', ...' if len(values) > _MOST_QUOTED else ''}]"


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
    return list(found) if isinstance(found, list | tuple | MultiValue) else [found]


def _whole(value: Any) -> Any:
    """Return whole numbers as such, whichever way they were written; all else as it is."""
    found = [numbers(one, 1) for one in several(value)]
    whole = [
        int(one[0]) for one in found if one and one[0].is_integer() and abs(one[0]) < _LARGEST_WHOLE
    ]
    if not whole or len(whole) < len(found):
        return value
    return whole[0] if len(whole) == 1 else whole


def _text(value: Any) -> Any:
    """Return a person's name as text; all other text is that."""
    found = [one if isinstance(one, str) else str(one) for one in several(value)]
    return found[0] if len(found) == 1 else found or ""


def _unchanged(value: Any) -> Any:
    return value


def _is_vr(stated: str) -> bool:
    return len(stated) == 2 and stated.isascii() and stated.isupper()
