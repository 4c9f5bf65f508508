"""Numbers that somebody wrote down, in a query, a table or a DICOM Decimal String."""

import re

#: As a Decimal String (PS3.5, 6.2) is written, in ASCII. Not what Python's source may hold besides:
#: `1_0`, which somebody meant as 1.0, would be ten.
_NUMBER = re.compile(
    r" *[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf) *", re.IGNORECASE
)


def number(text: str) -> float:
    """Read a number, or `nan` or `inf`, which are for the caller to refuse by its range.

    Raise `ValueError` for anything else, underscores, other scripts' digits and hexadecimal among
    it.
    """
    if not _NUMBER.fullmatch(text):
        raise ValueError("found no number in decimal digits")
    return float(text)
