"""What every annotation is read to: lesions, each with its outline on one of the slices sent.

An annotation numbers what it marks (segments, ROIs, measurement groups) and names it. Where one of
them marks several of the slices, the one on which it covers the largest area is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lesion.errors import AnnotationError
from lesion.image.part10 import quote
from lesion.outline import Outline
from lesion.warning import InputWarning


@dataclass(frozen=True, slots=True)
class Marked:
    """One lesion: its outline on the slice at an index of those sent.

    `number` is that of its segment or ROI, or the place of its measurement group among all, from
    1. `tracking_uid` is a measurement group's, empty where there is none.
    """

    slice_index: int
    outline: Outline
    number: int
    tracking_uid: str = ""
    warnings: tuple[InputWarning, ...] = ()


class Entry(NamedTuple):
    """A segment, ROI or measurement group that can be chosen: by its number, or by a name."""

    number: int
    names: tuple[str, ...]


def choose(entries: Sequence[Entry], select: str | None, what: str) -> set[int]:
    """Return the numbers of the entries that `select` names, all of them where it is None.

    A number is looked for first, then a name, spaces around it aside. Names of the annotation are
    not quoted in the refusal: people write whatever they like there.
    """
    if select is None:
        return {entry.number for entry in entries}
    wanted = select.strip()
    found = {entry.number for entry in entries if str(entry.number) == wanted} or {
        entry.number for entry in entries if wanted and wanted in map(str.strip, entry.names)
    }
    if not found:
        there = [entry.number for entry in entries]
        raise AnnotationError(
            f"{what}: found numbers {quote(there)} and none of that name, "
            f"expected {quote(wanted)} among them"
        )
    return found
