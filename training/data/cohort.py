"""The one way in: a folder of CT slices, outlines and a table -> a `Cohort`, real or phantom.

docs/cohort.md describes the format for a site's own data. Everything is checked before anything is
trained on; what is wrong is refused with the row and the column where it stands. Messages hold
neither a patient's nor a file's name.
"""

import csv
import hashlib
import io
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar

from lesion.annotation.seg import read_seg
from lesion.ct import CTSlice
from lesion.errors import CohortError, InputError
from lesion.image.dicom import read_ct
from lesion.numerals import number
from lesion.outline import Outline
from training.data.card import CARD, COLUMNS, Card, parse_card
from training.data.records import PROVENANCES, Cohort, CohortLesion

TABLE = "cohort.csv"

#: Beyond lies a wrong unit: no lesion is larger than a liver.
_DIAMETER_MM = (2.0, 300.0)
#: A radiologist's diameter and the outline's may differ, but not by a factor like this: the segment
#: would be another lesion's, or the diameter in cm.
_DISAGREEMENT = 2.0
_QUOTED = 40
#: Longest value of a column that the card declares: enough for a phase or a scanner's name.
_LONGEST_VALUE = 40

_LEADING_ZEROS = re.compile("(?<![0-9])0+(?=[0-9])")
_ASIDE = ", case and leading zeros aside; expected a name of its own, or the same to the letter"

_Choice = TypeVar("_Choice", bound=str)


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    values: dict[str, str]

    def fail(self, column: str, message: str) -> NoReturn:
        raise CohortError(f"{TABLE}, row {self.number}, {column}: {message}")


@dataclass(frozen=True, slots=True)
class _Folder:
    """The cohort's files, each read once, and the digest of each."""

    root: Path
    digests: dict[str, str] = field(default_factory=dict)
    files: dict[Path, bytes] = field(default_factory=dict)
    slices: dict[Path, CTSlice] = field(default_factory=dict)

    def bytes_of(self, row: _Row, column: str) -> tuple[Path, bytes]:
        path = _inside(self.root, row, column)
        if path not in self.files:
            self.files[path] = path.read_bytes()
            self.digests[path.relative_to(self.root).as_posix()] = _sha256(self.files[path])
        return path, self.files[path]

    def slice_of(self, row: _Row) -> CTSlice:
        path, data = self.bytes_of(row, "ct")
        if path not in self.slices:
            try:
                self.slices[path] = read_ct(data)
            except InputError as error:
                row.fail("ct", str(error))
            self.files[path] = b""  # the pixels are kept once
        return self.slices[path]


def read(folder: Path) -> Cohort:
    """Read a cohort's folder.

    Raise `CohortError` that names the row and the column of the first fault.
    """
    card = parse_card(_bytes(folder / CARD))
    table = _bytes(folder / TABLE)
    files = _Folder(folder.resolve())
    rows = list(_rows(table, card.columns))
    _check_ids(rows)
    lesions = tuple(_read_lesion(files, row, card) for row in rows)
    _check_slices(rows, lesions)
    _check_classes(card, lesions)
    fingerprint = _fingerprint(card, table, files.digests)
    return Cohort(card.name, card.simulated, fingerprint, card.classes, lesions)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise CohortError(f"found no {path.name} in the cohort's folder, expected one")
    return path.read_bytes()


def _rows(table: bytes, declared: tuple[str, ...]) -> Iterator[_Row]:
    """Yield the rows, counted as a spreadsheet does: the header is row 1."""
    # No others are taken, lest a patient's data slip in.
    columns = COLUMNS + declared
    try:
        text = table.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CohortError(f"{TABLE}: found a byte that is not UTF-8 at {error.start}") from None
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = tuple(next(lines, ()))
    if header != columns:
        missing, extra = set(columns) - set(header), len(set(header) - set(columns))
        raise CohortError(
            f"{TABLE}, row 1: found {len(header)} columns ({extra} unknown, "
            f"missing {', '.join(sorted(missing)) or 'none'}), expected {','.join(columns)}"
        )
    number = 1
    try:
        for number, cells in enumerate(lines, start=2):
            if len(cells) != len(columns):
                raise CohortError(
                    f"{TABLE}, row {number}: found {len(cells)} cells, expected {len(columns)}"
                )
            yield _checked(_Row(number, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise CohortError(f"{TABLE}, after row {number}: {error}") from None
    if number == 1:
        raise CohortError(f"{TABLE}: found no lesion, expected at least one row")


def _checked(row: _Row) -> _Row:
    for column, value in row.values.items():
        if not value or value != value.strip():
            row.fail(column, "found nothing or outer spaces, expected a value")
        if column not in COLUMNS and len(value) > _LONGEST_VALUE:
            row.fail(column, f"found {len(value)} characters, expected at most {_LONGEST_VALUE}")
    return row


def _check_ids(rows: list[_Row]) -> None:
    """Refuse one name for two lesions, and two spellings of one patient."""
    lesions: dict[str, _Row] = {}
    patients: dict[str, _Row] = {}
    for row in rows:
        first = lesions.setdefault(_bare(row.values["lesion_id"]), row)
        if first is not row:
            row.fail("lesion_id", f"found the same as in row {first.number}{_ASIDE}")
        first = patients.setdefault(_bare(row.values["patient_id"]), row)
        if first.values["patient_id"] != row.values["patient_id"]:
            row.fail("patient_id", f"found another spelling than in row {first.number}{_ASIDE}")


def _bare(name: str) -> str:
    """Return a name without what gets lost between a clinic's systems and a spreadsheet."""
    return _LEADING_ZEROS.sub("", unicodedata.normalize("NFKC", name).casefold())


def _check_slices(rows: list[_Row], lesions: tuple[CohortLesion, ...]) -> None:
    """Refuse a lesion drawn twice, and a slice of two patients: folding would let them leak.

    A slice is known by its SOP Instance UID, whatever its file is called and however often it lies
    in the folder.
    """
    drawn: dict[tuple[str, bytes], int] = {}
    owner: dict[str, str] = {}
    for row, lesion in zip(rows, lesions, strict=True):
        uid, hull = lesion.ct.identity.sop_instance_uid, lesion.outline.hull_px
        if owner.setdefault(uid, lesion.patient_id) != lesion.patient_id:
            row.fail("patient_id", "found another than for the same slice above, expected one")
        outline = b"" if hull is None else hull.tobytes()
        if (first := drawn.setdefault((uid, outline), row.number)) != row.number:
            row.fail("ct seg segment", f"found the same as in row {first}, expected its own")


def _check_classes(card: Card, lesions: tuple[CohortLesion, ...]) -> None:
    """Refuse a class without lesions: no network can learn it."""
    found = {lesion.lesion_class for lesion in lesions}
    if missing := [one.name for one in card.classes if one.name not in found]:
        raise CohortError(
            f"{TABLE}: found no lesion of {', '.join(missing)}, expected some of each class "
            f"that {CARD} names"
        )


def _read_lesion(files: _Folder, row: _Row, card: Card) -> CohortLesion:
    values = row.values
    lesion_class = _choose(row, "class", tuple(one.name for one in card.classes))
    provenance = _choose(row, "provenance", PROVENANCES)
    ct = files.slice_of(row)
    outline = _read_outline(files, row, ct)
    return CohortLesion(
        lesion_id=values["lesion_id"],
        patient_id=values["patient_id"],
        lesion_class=lesion_class,
        ct=ct,
        outline=outline,
        diameter_mm=_diameter_mm(row, outline, ct),
        provenance=provenance,
        strata={column: values[column] for column in card.columns},
    )


def _read_outline(files: _Folder, row: _Row, ct: CTSlice) -> Outline:
    number = row.values["segment"]
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 0xFFFF):
        row.fail("segment", f"found {_quote(number)}, expected a Segment Number from 1 to 65535")
    _, data = files.bytes_of(row, "seg")
    try:
        outlines = read_seg(data, ct, segment=int(number))
    except InputError as error:
        row.fail("seg", str(error))
    if len(outlines) != 1:
        row.fail(
            "segment",
            f"found {len(outlines)} separate regions on the slice, expected one: "
            "give each lesion a segment of its own, and erase specks",
        )
    return outlines[0]


def _diameter_mm(row: _Row, outline: Outline, ct: CTSlice) -> float:
    column, (low, high) = "diameter_mm", _DIAMETER_MM
    try:
        diameter = number(row.values[column])
    except ValueError:
        diameter = math.nan
    if not low <= diameter <= high:
        row.fail(
            column, f"found {_quote(row.values[column])}, expected a number of {low:g} to {high:g}"
        )
    if ct.spacing_mm is None:
        row.fail("ct", "found no pixel spacing, expected one")
    drawn = outline.diameter_mm(ct.spacing_mm)
    if not 1 / _DISAGREEMENT <= drawn / diameter <= _DISAGREEMENT:
        row.fail(column, f"found {diameter:g} mm, expected about the outline's {drawn:.0f} mm")
    return diameter


def _choose(row: _Row, column: str, choices: tuple[_Choice, ...]) -> _Choice:
    value = row.values[column]
    found = next((choice for choice in choices if choice == value), None)
    if found is None:
        row.fail(column, f"found {_quote(value)}, expected one of {', '.join(choices)}")
    return found


def _inside(root: Path, row: _Row, column: str) -> Path:
    """Return the file that a cell names, if it lies in the cohort's folder."""
    named = Path(row.values[column])
    if named.is_absolute() or ".." in named.parts or "\\" in row.values[column]:
        row.fail(column, "found a path that may leave the folder, expected one relative to it")
    path = (root / named).resolve()
    if not path.is_relative_to(root):
        row.fail(column, "found a link that leaves the folder, expected a file in it")
    if not path.is_file():
        row.fail(column, "found no such file in the folder, expected one")
    return path


def _fingerprint(card: Card, table: bytes, digests: dict[str, str]) -> str:
    """Return a sha256 over what is read of the card, the table and every file that it names."""
    classes = json.dumps([one.to_json() for one in card.classes])
    parts = [card.name, str(card.simulated), classes, _sha256(table)]
    parts += [f"{path}={digest}" for path, digest in sorted(digests.items())]
    return _sha256("\n".join(parts).encode())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _quote(value: str) -> str:
    return repr(value[:_QUOTED])
