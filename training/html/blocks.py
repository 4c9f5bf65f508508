"""What a page is made of, and how a number is written: tables, pictures, sections.

Accuracies are proportions in `results.json` and percent on the page, with one decimal: of 182
lesions one is 0.5 %. A number keeps its full value beside its text.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np


class Number(NamedTuple):
    """What is written, what stands beside it in quieter type, and a value before rounding."""

    text: str
    quiet: str = ""
    value: float | None = None


class Line(NamedTuple):
    """One line of several in a cell: what it is of, a number, and what is to be said of it."""

    name: str
    number: Number
    words: str = ""


#: What stands in a cell of a table.
Content = str | Number | tuple[Line, ...]
#: How a row stands out.
Mark = Literal["yes", "no", "open", "untested"]

NOTHING = Number("–")


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, perhaps under `groups` of so many columns; rows begin with a name.

    `marks` says of each row how it stands out, if it does. `stacks` where a phone shows a row's
    cells one below the other.
    """

    id: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Content, ...], ...]
    groups: tuple[tuple[str, int], ...] = ()
    marks: tuple[Mark | None, ...] = ()
    note: str = ""
    stacks: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is part of the page: its file's name, its bytes, what it shows in words."""

    name: str
    data: bytes
    alt: str
    caption: str = ""

    @property
    def media_type(self) -> str:
        """The type of the bytes."""
        return "image/svg+xml" if self.name.endswith(".svg") else "image/png"


@dataclass(frozen=True, slots=True)
class Figure:
    """Pictures side by side, under one caption; `across` of them on a wide page."""

    id: str
    caption: str
    pictures: tuple[Picture, ...]
    across: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """Words explained: each with what it means."""

    id: str
    terms: tuple[tuple[str, str], ...]


Block = Table | Figure | Terms


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page."""

    id: str
    title: str
    words: tuple[str, ...]
    blocks: tuple[Block, ...]


def percent(found: float | Sequence[float | None] | None, *, decimals: int = 1) -> Number:
    """Write a proportion in percent, and its interval if it has one."""
    return _write(found, scale=100, decimals=decimals)


def points(found: float | Sequence[float | None] | None) -> Number:
    """Write a difference of proportions in percentage points, with its sign."""
    return _write(found, scale=100, decimals=1, sign="+")


def plain(found: float | Sequence[float | None] | None, *, decimals: int = 2) -> Number:
    """Write a number as it is."""
    return _write(found, scale=1, decimals=decimals)


def signed(found: float | Sequence[float | None] | None, *, decimals: int = 2) -> Number:
    """Write a number as it is, with its sign."""
    return _write(found, scale=1, decimals=decimals, sign="+")


def measured(value: float, error: float) -> Number:
    """Write a measure with its standard error, to the second digit of the error."""
    decimals = max(0, 1 - math.floor(math.log10(error))) if error > 0 else 2
    text = plain(value, decimals=decimals).text
    return Number(text, f"(± {error:.{decimals}f})", value)


def count(found: float) -> Number:
    """Write a whole number, its thousands apart."""
    return Number(f"{found:,.0f}".replace(",", "\u202f"), value=found)


def p_value(p: float) -> str:
    """Write a p to two digits, and nothing below a thousandth."""
    return "< .001" if p < 0.001 else f"{p:.2g}".removeprefix("0")


def printed(value: float | None) -> Number:
    """Write a figure of the paper's, which is printed in percent."""
    return NOTHING if value is None else Number(f"{value:.1f}")


def _write(
    found: float | Sequence[float | None] | None, *, scale: int, decimals: int, sign: str = ""
) -> Number:
    value, *bounds = [found] if found is None or isinstance(found, int | float) else list(found)
    if value is None or not np.isfinite(value):
        return NOTHING

    def text(number: float) -> str:
        # "z": a rounded -0.04 is no "-0.0". And a zero has no plus.
        written = f"{number * scale:{sign}z.{decimals}f}".replace("-", "−")
        return written if written.strip("+0.") else written.removeprefix("+")

    known = [bound for bound in bounds if bound is not None and np.isfinite(bound)]
    interval = f"({' to '.join(map(text, known))})" if known else ""
    return Number(text(value), interval, float(value))
