"""Numbers that somebody wrote down, in a query, a table or a DICOM Decimal String."""

import re

#: As a Decimal String (PS3.5, 6.2) is written, in ASCII. Not what Python's source may hold besides:
#: `1_0`, which somebody meant as 1.0, would be ten.
_NUMBER = re.compile(
    r" *[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf) *", re.IGNORECASE
)

_WHOLE_NUMBER = re.compile(r"([0-9]{1,19})(?:\.0{1,19})?")


def number(text: str) -> float:
    """Read a number, or `nan` or `inf`, which are for the caller to refuse by its range.

    Raise `ValueError` for anything else, underscores, other scripts' digits and hexadecimal among
    it.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError("found no number in decimal digits")
    return float(text)


def whole_number(text: str) -> int:
    """Read a whole number of at most 19 digits; 1.0, as JSON may write it, is one.

    Raise `ValueError` for anything else.
    """
    digits = _WHOLE_NUMBER.fullmatch(text)
    if not digits:
        raise ValueError("found no whole number in decimal digits")
    return int(digits[1])
