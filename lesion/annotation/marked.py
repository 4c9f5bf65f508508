"""What every annotation is read to: lesions, each with its outline on one of the slices sent.

An annotation numbers its structures (segments, ROIs, measurement groups) and names them. Where one
of them marks several of the slices, the one on which it covers the largest area is taken.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from lesion.annotation.structure import Structure
from lesion.errors import (
    AnnotationError,
    InputError,
    OutlineError,
    TooLargeError,
    UnreadableOutlineError,
)
from lesion.image.part10 import quote
from lesion.outline import Outline
from lesion.warning import InputWarning

#: What is wrong with one structure alone, and refuses no other.
UNUSABLE = (AnnotationError, OutlineError, UnreadableOutlineError)

Keep = Callable[[list[Structure]], list[Structure]]


@dataclass(frozen=True, slots=True)
class Marked:
    """One lesion: its outline on the slice at an index of those sent, and whose it is."""

    slice_index: int
    outline: Outline
    structure: Structure
    warnings: tuple[InputWarning, ...] = ()

    @property
    def number(self) -> int:
        """The number of its structure."""
        return self.structure.number

    @property
    def tracking_uid(self) -> str:
        """By which UID the annotation tracks it; empty where by none."""
        return self.structure.tracking_uid


class Sieve:
    """Which structures of an annotation are read, and which of them could not be.

    `keep` takes those that are asked for and returns those to read; it is not called where a
    request selects one.
    """

    def __init__(self, keep: Keep = list) -> None:
        self._keep = keep
        self.failed: list[tuple[Structure, InputError]] = []

    def choose(
        self, structures: Sequence[Structure], select: str | None, what: str
    ) -> dict[int, Structure]:
        """Return by number the structures that `select` names, or all that are kept.

        A number is looked for first, then a name, spaces around it aside. Names of the annotation
        are not quoted in the refusal: people write whatever they like there. Raise
        `AnnotationError` where two have one number: what is marked by it may be of either.
        """
        numbers = [structure.number for structure in structures]
        if len(set(numbers)) < len(numbers):
            raise AnnotationError(
                f"{what}: found numbers {quote(numbers)}, expected each number once"
            )
        if select is None:
            return {structure.number: structure for structure in self._keep([*structures])}
        wanted = select.strip()
        found = [s for s in structures if str(s.number) == wanted] or [
            s for s in structures if wanted and wanted in map(str.strip, s.names)
        ]
        if not found:
            raise AnnotationError(
                f"{what}: found numbers {quote(numbers)} and none of that name, "
                f"expected {wanted[:72]!a} among them"
            )
        return {structure.number: structure for structure in found}

    def read_each(
        self,
        structures: Iterable[tuple[Structure, Callable[[], list[Marked]]]],
        *,
        most: int,
        what: str,
    ) -> list[Marked]:
        """Call what reads each structure, and return the lesions of all.

        A structure that cannot be read refuses no other; where nothing else is left, its error is
        raised. Raise `TooLargeError` for more than `most` lesions.
        """
        marked: list[Marked] = []
        for structure, read in structures:
            try:
                marked += read()
            except UNUSABLE as error:
                self.fail(structure, error)
            if len(marked) > most:
                raise TooLargeError(
                    f"{what}: found {len(marked)} lesions or more, expected at most {most}"
                )
        self.check_any(marked)
        return marked

    def fail(self, structure: Structure, error: InputError) -> None:
        """Note that one structure cannot be read: the others can."""
        self.failed.append((structure, error))

    def check_any(self, marked: Sequence[Marked]) -> None:
        """Raise the first error where nothing else is left."""
        if not marked and self.failed:
            raise self.failed[0][1]


def warned(marked: Sequence[Marked], warnings: tuple[InputWarning, ...]) -> list[Marked]:
    """Return lesions with warnings that hold for their whole annotation."""
    return [replace(lesion, warnings=warnings + lesion.warnings) for lesion in marked]
