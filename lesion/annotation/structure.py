"""What an annotation says of one of its structures: a segment, an ROI or a measurement group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydicom.multival import MultiValue

#: What is wanted of the items of a code sequence (PS3.3, 8.8).
CODE: dict[str, Any] = {"CodeValue": None, "CodingSchemeDesignator": None}

#: Characters of a label that are kept: an LO holds 64, a UT any number.
_LONGEST_TEXT = 256


class Concept(NamedTuple):
    """A coded concept as a file states it. Its meaning is not read: the tables have their own."""

    value: str
    scheme: str


@dataclass(frozen=True, slots=True)
class Structure:
    """One structure of an annotation.

    `number` is that of its segment or ROI, or the place of its measurement group among all, from
    1. `label` (Segment Label, ROI Name) and `tracking_id` are free text, which people write: never
    quoted in errors, logs or metrics. `concept` is the Segmented Property Type (0062,000F), the RT
    ROI Identification Code (3006,0086) or the Finding (121071, DCM), `category` the Segmented
    Property Category (0062,0003) or the Finding category, `interpreted_type` that of an ROI
    (3006,00A4).
    """

    number: int
    label: str = ""
    tracking_id: str = ""
    tracking_uid: str = ""
    concept: Concept | None = None
    category: Concept | None = None
    interpreted_type: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """What a request may call it, beside its number."""
        return (self.label, self.tracking_id, self.tracking_uid)


def concept_of(items: Sequence[Mapping[str, Any]]) -> Concept | None:
    """Return the concept of a code sequence; None where it states none."""
    if not items:
        return None
    found = Concept(text_of(items[0].get("CodeValue")), text_of(items[0].get(_SCHEME)))
    return found if found.value and found.scheme else None


_SCHEME = "CodingSchemeDesignator"


def text_of(value: object) -> str:
    """Return a text of a file, on one line and not too long; empty where it is something else."""
    parts = list(value) if isinstance(value, MultiValue) else [value]
    text = "\\".join(part for part in parts if isinstance(part, str))[: 4 * _LONGEST_TEXT]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_LONGEST_TEXT]
