"""The card, `cohort.json`: what a cohort is called, its classes, and columns of its table."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from lesion.bundle.manifest import ClassCode
from lesion.classes import NAME_PATTERN, Code, LesionClass, own_code
from lesion.errors import CohortError

CARD = "cohort.json"

#: The table's columns, in order, before those that a card declares.
COLUMNS = (
    "lesion_id",
    "patient_id",
    "class",
    "ct",
    "seg",
    "segment",
    "diameter_mm",
    "provenance",
)

#: What a missing entry should be.
_EXPECTED = {
    "name": "the cohort's name",
    "simulated": "true or false",
    "classes": 'the list of classes, such as [{"name": "cyst"}, {"name": "metastasis"}]: '
    "add it (docs/cohort.md), or draw the phantom again",
}

_Name = Annotated[str, Field(pattern=NAME_PATTERN)]


class _Class(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    name: _Name
    code: ClassCode | None = None

    @property
    def lesion_class(self) -> LesionClass:
        """The class, with a code of our own where it has none."""
        code = own_code(self.name) if self.code is None else Code(**self.code.model_dump())
        return LesionClass(self.name, code)


class Card(BaseModel):
    """A cohort's card.

    `classes` are in the order of a network's outputs. `columns` are what the table holds of each
    lesion besides `COLUMNS`, for figures by scanner, phase and the like.
    Further entries are the site's own.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    name: Annotated[str, Field(pattern=r"\S")]
    simulated: bool
    declared: Annotated[tuple[_Class, ...], Field(min_length=2, alias="classes", strict=False)]
    columns: Annotated[tuple[_Name, ...], Field(max_length=8, strict=False)] = ()

    @model_validator(mode="after")
    def _each_once(self) -> "Card":
        codes = [f"{one.code.value} of {one.code.scheme}" for one in self.classes]
        for what, names in (
            ("classes", [one.name for one in self.classes]),
            ("codes of classes", codes),
            ("columns", [*COLUMNS, *self.columns]),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{what}: found {', '.join(twice)} twice, expected each once")
        return self

    @property
    def classes(self) -> tuple[LesionClass, ...]:
        """The classes, each with a code."""
        return tuple(one.lesion_class for one in self.declared)


def parse_card(text: bytes) -> Card:
    """Read a card; raise `CohortError` for its first fault."""
    try:
        return Card.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    where, message = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
    if first["type"] == "json_invalid":
        raise CohortError(f"{CARD}: found no JSON ({message}), expected an object")
    if first["type"] == "missing":
        expected = _EXPECTED.get(where, "one")
        raise CohortError(f'{CARD}: found no "{where}", expected {expected}')
    raise CohortError(f"{CARD}: {where + ': ' if where else ''}{message}")
