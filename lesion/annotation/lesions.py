"""An annotation -> its lesions, without anatomy and without structures that cannot be read.

The readers return every structure, which cohorts need; a classification reads annotations by
`read_lesions`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from lesion.annotation.kind import Kind, Meaning, meaning_of
from lesion.annotation.marked import Marked, Sieve
from lesion.annotation.read import read_annotation
from lesion.annotation.structure import Structure
from lesion.ct import Place
from lesion.errors import NoLesionError
from lesion.outline import MOST_REGIONS
from lesion.warning import InputWarning, WarningCode

#: Structures that a refusal names, by what they are.
_MOST_NAMED = 8


class SkipReason(StrEnum):
    """Why a structure is not among the lesions. Stable; documented in docs/formats.md."""

    ANATOMY = "anatomy"
    NO_LESION = "no-lesion"
    UNUSABLE = "unusable"


_OF_KIND = {Kind.ANATOMY: SkipReason.ANATOMY, Kind.OTHER: SkipReason.NO_LESION}


@dataclass(frozen=True, slots=True)
class Skipped:
    """A structure that is not among the lesions: what it is in our words, and why it is not."""

    structure: Structure
    meaning: str
    reason: SkipReason
    detail: str


class Lesions(NamedTuple):
    """What an annotation marks on the slices, and what else it holds."""

    marked: list[Marked]
    skipped: tuple[Skipped, ...]


def read_lesions(
    data: bytes, places: Sequence[Place], *, select: str | None = None, most: int = MOST_REGIONS
) -> Lesions:
    """Read the lesions that an annotation marks on the slices, as `read_annotation` does.

    Anatomy and other structures that are no lesions are skipped, and neither read nor counted; not
    where `select` names them. A structure that cannot be read is skipped as long as another is
    left. Raise `NoLesionError` where nothing but anatomy is there.
    """
    skipped: list[Skipped] = []

    def keep(structures: list[Structure]) -> list[Structure]:
        meanings = [(structure, meaning_of(structure)) for structure in structures]
        skipped.extend(_skip(one, said) for one, said in meanings if said.kind in _OF_KIND)
        kept = [one for one, said in meanings if said.kind not in _OF_KIND]
        if skipped and not kept:
            raise NoLesionError(_found_none(skipped))
        return kept

    sieve = Sieve(keep)
    marked = read_annotation(data, places, select=select, most=most, sieve=sieve)
    skipped += [
        Skipped(structure, meaning_of(structure).text, SkipReason.UNUSABLE, str(error))
        for structure, error in sieve.failed
    ]
    skipped.sort(key=lambda one: one.structure.number)
    return Lesions([_with_warning(lesion) for lesion in marked], tuple(skipped))


def _skip(structure: Structure, meaning: Meaning) -> Skipped:
    what = "anatomy" if meaning.kind is Kind.ANATOMY else "no lesion"
    detail = f"{what} ({meaning.text}): not classified; select takes it all the same"
    return Skipped(structure, meaning.text, _OF_KIND[meaning.kind], detail)


def _found_none(skipped: Sequence[Skipped]) -> str:
    """Word the refusal: by what the structures are, for their labels are free text."""
    named = list(dict.fromkeys(one.meaning for one in skipped))
    more = f" and {len(named) - _MOST_NAMED} others" if len(named) > _MOST_NAMED else ""
    return (
        f"annotation: found no lesion but {', '.join(named[:_MOST_NAMED])}{more}, expected a "
        "lesion; 'select' takes one of them all the same, by its number or name"
    )


def _with_warning(lesion: Marked) -> Marked:
    """Add the warning that a lesion's structure calls for."""
    meaning = meaning_of(lesion.structure)
    warning = meaning.warning
    if meaning.kind in _OF_KIND:
        warning = InputWarning(
            WarningCode.NO_LESION_SELECTED,
            f"the structure is no lesion ({meaning.text}): it is classified because it was "
            "selected",
        )
    return replace(lesion, warnings=(warning, *lesion.warnings)) if warning else lesion
