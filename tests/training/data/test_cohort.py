"""The importer: a site's folder as docs/cohort.md describes it, and every fault it can have."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lesion.annotation.seg import read_seg
from lesion.classes import Code, LesionClass, own_code
from lesion.errors import CohortError
from lesion.image.dicom import read_ct
from training.data import cohort
from training.data.card import COLUMNS

ROWS = [
    ["A-1", "A", "cyst", "a/ct.dcm", "a/seg.dcm", "1", "16.4", "follow-up"],
    ["A-2", "A", "hemangioma", "a/ct.dcm", "a/seg.dcm", "2", "13.8", "biopsy"],
    ["B-1", "B", "metastasis", "b.dcm", "b-seg.dcm", "3", "15.0", "biopsy"],
]

CYST = Code("85057007", "SCT", "Cyst of liver")
CLASSES = [{"name": "metastasis"}, {"name": "cyst", "code": CYST._asdict()}, {"name": "hemangioma"}]

Edit = Callable[[Path], None]


def disc(row: int, col: int, radius: int) -> np.ndarray:
    rows, cols = np.mgrid[:64, :80]
    return np.hypot(rows - row, cols - col) < radius


@pytest.fixture
def folder(tmp_path: Path, make_ct: Callable, make_seg: Callable, encode: Callable) -> Path:
    """Two patients: a slice with two lesions, a slice with one. The folder has a person's name."""
    out = tmp_path / "Secret^Patient"
    (out / "a").mkdir(parents=True)
    hu = np.add.outer(np.arange(64), np.arange(80)).astype(float)
    first, second = make_ct(hu), make_ct(hu + 5, PixelSpacing=[0.7, 0.7])
    (out / "a" / "ct.dcm").write_bytes(encode(first))
    masks = [(1, disc(20, 20, 11)), (2, disc(40, 55, 9))]
    (out / "a" / "seg.dcm").write_bytes(encode(make_seg(first, masks)))
    (out / "b.dcm").write_bytes(encode(second))
    (out / "b-seg.dcm").write_bytes(encode(make_seg(second, [(3, disc(30, 30, 10))])))
    write_table(out, ROWS)
    card()(out)
    return out


def card(**entries: object) -> Edit:
    """Write a card, with entries in place of its own; None leaves one out."""
    told = {"name": "a site's", "simulated": False, "classes": CLASSES} | entries
    kept = {key: value for key, value in told.items() if value is not None}
    return lambda out: (out / "cohort.json").write_text(json.dumps(kept)) and None


def with_columns(*columns: str, values: tuple[str, ...] = (), **entries: object) -> Edit:
    """Declare columns, and give each row these values of them."""

    def edit(out: Path) -> None:
        card(columns=columns, **entries)(out)
        header = (*COLUMNS, *columns)
        write_table(out, [[*cells, *values] for cells in ROWS], header)

    return edit


def write_table(out: Path, rows: list[list[str]], header: tuple[str, ...] = COLUMNS) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    (out / "cohort.csv").write_text(text.getvalue(), encoding="utf-8")


def row(number: int, **values: str) -> Edit:
    """Write values into a row's cells."""

    def edit(out: Path) -> None:
        rows = [list(cells) for cells in ROWS]
        for column, value in values.items():
            rows[number - 2][COLUMNS.index(column)] = value
        write_table(out, rows)

    return edit


def cell(number: int, column: str, value: str) -> Edit:
    """Write a value into one cell of the table."""
    return row(number, **{column: value})


def copied(name: str, to: str, then: Edit) -> Edit:
    def edit(out: Path) -> None:
        shutil.copy(out / name, out / to)
        then(out)

    return edit


def text(name: str, content: str) -> Edit:
    return lambda out: (out / name).write_text(content, encoding="utf-8") and None


def test_a_cohort_is_read(folder: Path) -> None:
    found = cohort.read(folder)
    assert (found.name, found.simulated) == ("a site's", False)
    assert [lesion.lesion_id for lesion in found.lesions] == ["A-1", "A-2", "B-1"]
    assert [lesion.lesion_class for lesion in found.lesions] == [
        "cyst",
        "hemangioma",
        "metastasis",
    ]
    assert [lesion.patient_id for lesion in found.lesions] == ["A", "A", "B"]
    assert [lesion.provenance for lesion in found.lesions] == ["follow-up", "biopsy", "biopsy"]
    assert [lesion.diameter_mm for lesion in found.lesions] == [16.4, 13.8, 15.0]
    first, second, third = found.lesions
    assert first.ct is second.ct
    assert third.ct.spacing_mm == (0.7, 0.7)
    ct = read_ct((folder / "a" / "ct.dcm").read_bytes())
    np.testing.assert_array_equal(first.ct.hu, ct.hu)
    (outline,) = read_seg((folder / "a" / "seg.dcm").read_bytes(), ct, segment=2)
    assert (second.outline.x0, second.outline.y0) == (outline.x0, outline.y0)


def test_the_classes_are_the_cards_in_its_order_each_with_a_code(folder: Path) -> None:
    assert cohort.read(folder).classes == (
        LesionClass("metastasis", own_code("metastasis")),
        LesionClass("cyst", CYST),
        LesionClass("hemangioma", own_code("hemangioma")),
    )


def test_declared_columns_are_kept_with_their_lesion(folder: Path) -> None:
    assert cohort.read(folder).lesions[0].strata == {}
    with_columns("phase", "scanner", values=("portal", "x" * 40))(folder)
    assert [dict(lesion.strata) for lesion in cohort.read(folder).lesions] == [
        {"phase": "portal", "scanner": "x" * 40}
    ] * 3


def test_another_order_of_classes_or_another_code_is_another_cohort(folder: Path) -> None:
    found = {cohort.read(folder).fingerprint}
    for classes in (CLASSES[::-1], [{"name": one["name"]} for one in CLASSES]):
        card(classes=classes)(folder)
        found.add(cohort.read(folder).fingerprint)
    assert len(found) == 3


def test_a_shared_slice_is_decoded_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(cohort, "read_ct", lambda data: calls.append(1) or read_ct(data))
    cohort.read(folder)
    assert len(calls) == 2


def test_a_spreadsheets_byte_order_mark_and_line_ends_are_read(folder: Path) -> None:
    table = (folder / "cohort.csv").read_bytes()
    assert b"\r\n" in table
    (folder / "cohort.csv").write_bytes(b"\xef\xbb\xbf" + table)
    assert len(cohort.read(folder).lesions) == 3


@pytest.mark.parametrize(
    "edit",
    [
        cell(2, "diameter_mm", "16.5"),
        card(simulated=True),
        lambda out: (out / "b.dcm").write_bytes((out / "b.dcm").read_bytes()[:-1] + b"\0"),
    ],
    ids=["table", "card", "pixels"],
)
def test_the_fingerprint_is_of_all_that_was_read(folder: Path, edit: Edit) -> None:
    before = cohort.read(folder).fingerprint
    assert len(before) == 64
    assert cohort.read(folder).fingerprint == before
    (folder / "notes.txt").write_text("not read")
    assert cohort.read(folder).fingerprint == before
    edit(folder)
    assert cohort.read(folder).fingerprint != before


FAULTS = {
    "no card": (lambda out: (out / "cohort.json").unlink(), r"found no cohort\.json"),
    "card no json": (text("cohort.json", "{"), r"cohort\.json: found no JSON"),
    "card a list": (text("cohort.json", "[]"), r"cohort\.json: .*object"),
    "card nameless": (card(name=None), 'found no "name", expected the cohort\'s name'),
    "card of a blank name": (card(name=" "), r"cohort\.json: name: "),
    "card undecided": (card(simulated=None), 'found no "simulated", expected true or false'),
    "card decided in words": (card(simulated="no"), "simulated: Input should be a valid boolean"),
    "no classes": (card(classes=None), 'found no "classes", expected .* draw the phantom again'),
    "one class": (card(classes=CLASSES[:1]), "classes: .*at least 2 items"),
    "a class twice": (
        card(classes=[*CLASSES, {"name": "cyst"}]),
        "classes: found cyst twice, expected each once",
    ),
    "a code twice": (
        card(classes=[*CLASSES, {"name": "other", "code": CYST._asdict()}]),
        "codes of classes: found 85057007 of SCT twice",
    ),
    "a class of no such name": (card(classes=[*CLASSES, {"name": "HCC"}]), r"classes\.3\.name: "),
    "a nameless class": (card(classes=[*CLASSES, {}]), r'found no "classes\.3\.name"'),
    "a class with more": (card(classes=[*CLASSES, {"name": "a", "kode": 1}]), r"classes\.3\.kode"),
    "a long code": (
        card(classes=[*CLASSES, {"name": "a", "code": CYST._replace(value="1" * 17)._asdict()}]),
        r"classes\.3\.code\.value: .*at most 16",
    ),
    "a long scheme": (
        card(classes=[*CLASSES, {"name": "a", "code": CYST._replace(scheme="S" * 17)._asdict()}]),
        r"classes\.3\.code\.scheme: .*at most 16",
    ),
    "a long meaning": (
        card(classes=[*CLASSES, {"name": "a", "code": CYST._replace(meaning="m" * 65)._asdict()}]),
        r"classes\.3\.code\.meaning: .*at most 64",
    ),
    "a code without meaning": (
        card(classes=[*CLASSES, {"name": "a", "code": {"value": "1", "scheme": "SCT"}}]),
        r'found no "classes\.3\.code\.meaning"',
    ),
    "a class without lesions": (
        card(classes=[*CLASSES, {"name": "adenoma"}]),
        r"found no lesion of adenoma, expected some of each class that cohort\.json names",
    ),
    "nine columns": (with_columns(*"abcdefghi", values=("x",) * 9), "columns: .*at most 8"),
    "a column of no such name": (with_columns("Patient's", values=("x",)), r"columns\.0: "),
    "a column twice": (with_columns("a", "a", values=("x", "x")), "columns: found a twice"),
    "a column that there is": (with_columns("seg", values=("x",)), "columns: found seg"),
    "a declared column missing": (card(columns=["phase"]), "row 1: .*missing phase"),
    "a long value": (
        with_columns("phase", values=("x" * 41,)),
        "row 2, phase: found 41 characters, expected at most 40",
    ),
    "a missing value": (with_columns("phase", values=("",)), "row 2, phase: found nothing"),
    "no table": (lambda out: (out / "cohort.csv").unlink(), r"found no cohort\.csv"),
    "empty table": (text("cohort.csv", ""), "row 1: found 0 columns"),
    "no rows": (lambda out: write_table(out, []), "found no lesion"),
    "latin-1": (
        lambda out: (out / "cohort.csv").write_bytes("lesion_id;Müller".encode("latin-1")),
        "not UTF-8",
    ),
    "missing column": (
        lambda out: write_table(out, [row[:-1] for row in ROWS], COLUMNS[:-1]),
        "missing provenance",
    ),
    "extra column": (
        lambda out: write_table(out, ROWS, (*COLUMNS, "patient_name")),
        "1 unknown",
    ),
    "short row": (lambda out: write_table(out, [ROWS[0], ROWS[1][:4]]), "row 3: found 4 cells"),
    "open quote": (
        lambda out: (out / "cohort.csv").write_text(
            (out / "cohort.csv").read_text() + '"B-2,B,cyst'
        ),
        "after row 4",
    ),
    "no patient": (cell(3, "patient_id", ""), "row 3, patient_id: found nothing"),
    "spaces": (cell(3, "patient_id", " A"), "row 3, patient_id: found nothing or outer spaces"),
    "unknown class": (
        cell(4, "class", "HCC"),
        "row 4, class: found 'HCC', expected one of metastasis, cyst, hemangioma",
    ),
    "capital class": (cell(2, "class", "Cyst"), "row 2, class: found 'Cyst'"),
    "provenance": (cell(2, "provenance", "guess"), "expected one of biopsy, follow-up"),
    "twice the same id": (cell(4, "lesion_id", "A-1"), "row 4, lesion_id: .* as in row 2"),
    "twice the same id but for case": (cell(4, "lesion_id", "a-1"), "row 4, lesion_id: .* row 2"),
    "twice the same id but for zeros": (cell(4, "lesion_id", "A-01"), "row 4, lesion_id: .* row 2"),
    "twice the same id but for width": (cell(4, "lesion_id", "Ａ-1"), "row 4, lesion_id: .* row 2"),
    "a patient in capitals": (cell(3, "patient_id", "a"), "row 3, patient_id: .*spelling.* row 2"),
    "twice the same outline by another path": (
        row(3, ct="./a/ct.dcm", seg="a/./seg.dcm", segment="01"),
        "row 3, ct seg segment: .* as in row 2",
    ),
    "twice the same outline in a copy": (
        copied("a/ct.dcm", "copy.dcm", row(3, ct="copy.dcm", segment="1")),
        "row 3, ct seg segment: .* as in row 2",
    ),
    "two patients of a slice and its copy": (
        copied("a/ct.dcm", "copy.dcm", row(3, ct="copy.dcm", patient_id="B")),
        "row 3, patient_id: found another",
    ),
    "twice the same outline": (cell(3, "segment", "1"), "row 3, ct seg segment: .* as in row 2"),
    "two patients of a slice": (cell(3, "patient_id", "B"), "row 3, patient_id: found another"),
    "no such ct": (cell(2, "ct", "none.dcm"), "row 2, ct: found no such file"),
    "ct a folder": (cell(2, "ct", "a"), "row 2, ct: found no such file"),
    "no such seg": (cell(2, "seg", "none.dcm"), "row 2, seg: found no such file"),
    "path upwards": (cell(2, "ct", "../b.dcm"), "row 2, ct: found a path that may leave"),
    "absolute path": (cell(2, "seg", "/etc/passwd"), "row 2, seg: found a path that may leave"),
    "windows path": (cell(2, "ct", "a\\ct.dcm"), "row 2, ct: found a path that may leave"),
    "ct is a seg": (cell(4, "ct", "b-seg.dcm"), "row 4, ct: "),
    "seg is a ct": (cell(4, "seg", "b.dcm"), "row 4, seg: "),
    "seg of another slice": (cell(4, "seg", "a/seg.dcm"), "row 4, seg: "),
    "segment absent": (cell(4, "segment", "9"), "row 4, seg: .*expected '9' among them"),
    "segment no number": (cell(4, "segment", "one"), "row 4, segment: found 'one'"),
    "segment zero": (cell(4, "segment", "0"), "row 4, segment: found '0'"),
    "segment superscript": (cell(4, "segment", "²"), "row 4, segment: found '²'"),
    "diameter no number": (cell(2, "diameter_mm", "16,4"), "diameter_mm: found '16,4'"),
    "diameter with an underscore": (cell(2, "diameter_mm", "1_6.4"), "diameter_mm: found '1_6.4'"),
    "diameter in other digits": (cell(2, "diameter_mm", "١٦.٤"), "diameter_mm: found"),
    "diameter nan": (cell(2, "diameter_mm", "nan"), "diameter_mm: found 'nan'"),
    "diameter endless": (cell(2, "diameter_mm", "inf"), "diameter_mm: found 'inf'"),
    "diameter in cm": (
        cell(2, "diameter_mm", "2.1"),
        "found 2.1 mm, expected about the outline's 18 mm",
    ),
    "diameter huge": (cell(2, "diameter_mm", "1600"), "expected a number of 2 to 300"),
    "not dicom": (text("b.dcm", "GIF89a"), "row 4, ct: "),
    "empty ct": (text("b.dcm", ""), "row 4, ct: "),
}


@pytest.mark.parametrize(("edit", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_refused_with_its_place(folder: Path, edit: Edit, message: str) -> None:
    edit(folder)
    with pytest.raises(CohortError, match=message) as caught:
        cohort.read(folder)
    for secret in ("Secret", "SECRET", "Müller", "passwd", "b.dcm"):
        assert secret not in str(caught.value)


def test_patients_whose_names_hold_the_same_digits_elsewhere_are_two(folder: Path) -> None:
    rows = [["P10-1", "P10", *ROWS[0][2:]], ["P10-2", "P10", *ROWS[1][2:]]]
    write_table(folder, [*rows, ["P1-0", "P100", *ROWS[2][2:]]])
    assert [lesion.patient_id for lesion in cohort.read(folder).lesions] == ["P10", "P10", "P100"]


def test_two_spellings_of_one_patient_are_refused(folder: Path) -> None:
    """A spreadsheet drops leading zeros from some cells: the patient would sit in two folds."""
    rows = [["a", "017", *ROWS[0][2:]], ["b", "017", *ROWS[1][2:]], ["c", "17", *ROWS[2][2:]]]
    write_table(folder, rows)
    with pytest.raises(CohortError, match="row 4, patient_id: found another spelling than in"):
        cohort.read(folder)


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    outside = folder.parent / "outside.dcm"
    (folder / "b.dcm").rename(outside)
    (folder / "b.dcm").symlink_to(outside)
    with pytest.raises(CohortError, match="row 4, ct: found a link that leaves the folder"):
        cohort.read(folder)


def test_a_segment_of_two_regions_is_refused(
    folder: Path, make_ct: Callable, make_seg: Callable, encode: Callable
) -> None:
    ct = make_ct(np.zeros((64, 80)))
    (folder / "b.dcm").write_bytes(encode(ct))
    both = disc(20, 20, 8) | disc(40, 60, 8)
    (folder / "b-seg.dcm").write_bytes(encode(make_seg(ct, [(3, both)])))
    with pytest.raises(CohortError, match="row 4, segment: found 2 separate regions"):
        cohort.read(folder)


def test_a_slice_without_spacing_is_refused(
    folder: Path, make_ct: Callable, encode: Callable
) -> None:
    (folder / "b.dcm").write_bytes(encode(make_ct(PixelSpacing=None)))
    with pytest.raises(CohortError, match=r"row 4, ct: Pixel Spacing \(0028,0030\): found none"):
        cohort.read(folder)


def test_the_documented_table_is_one_that_is_read(folder: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "cohort.md").read_text(encoding="utf-8")
    table = page.split("```csv\n")[1].split("```")[0]
    told = page.split("```json\n")[1].split("```")[0]
    header, *rows = csv.reader(io.StringIO(table))
    for name, of in (("017", ROWS[0]), ("023", ROWS[2])):
        (folder / name).mkdir()
        (folder / of[3]).rename(folder / name / "slice-a.dcm")
        (folder / of[4]).rename(folder / name / "slice-a-seg.dcm")
    rows[2][5] = "3"  # the segment number of the file that stands in
    write_table(folder, rows, tuple(header))
    (folder / "cohort.json").write_text(told)
    assert tuple(header[: len(COLUMNS)]) == COLUMNS
    assert [lesion.lesion_id for lesion in cohort.read(folder).lesions] == [
        "017-1",
        "017-2",
        "023-1",
    ]
