"""The tables of docs/formats.md say what the code reads: no more, no less."""

import re
from pathlib import Path

import pytest
from pydicom.uid import UID

from lesion.annotation import read, rtstruct, seg, sr
from lesion.image import ct_header, frames
from lesion.warning import DEVIATIONS, WarningCode

TEXT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")


def rows(title):
    """Return the cells of each row of the table under a title."""
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    ("column", "syntaxes"),
    [
        (2, frames.TRANSFER_SYNTAXES),
        (3, seg.TRANSFER_SYNTAXES),
        (4, rtstruct.TRANSFER_SYNTAXES),
        (4, sr.TRANSFER_SYNTAXES),
    ],
)
def test_transfer_syntaxes(column, syntaxes):
    table = rows("Transfer syntaxes")
    assert {row[column] for row in table} <= {"yes", "no"}
    assert {row[0] for row in table if row[column] == "yes"} == set(syntaxes)


def test_names_are_those_of_the_standard():
    for uid, name, *_ in rows("Transfer syntaxes"):
        words = re.findall(r"[A-Za-z0-9]+", name)
        assert words[0] in UID(uid).name
        assert UID(uid).is_transfer_syntax


def test_sop_classes():
    assert {row[1] for row in rows("Images")} == set(ct_header.SOP_CLASSES)
    assert {row[1] for row in rows("Annotations")} == set(read._READERS)
    for name, uid, *_ in rows("Images") + rows("Annotations"):
        if UID(uid).name != uid:  # newer than the dictionary of this pydicom
            assert UID(uid).name.startswith(name)


def test_warnings():
    table = {row[0].strip("`"): row[1] for row in rows("Warnings")}
    assert list(table) == list(WarningCode)
    assert {code for code, deviates in table.items() if deviates == "yes"} == DEVIATIONS
