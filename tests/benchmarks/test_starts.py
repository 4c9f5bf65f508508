"""What one process saves: the table, and once the whole of it."""

import os
from pathlib import Path

import pytest

from benchmarks import starts

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / os.environ.get("HEPATICA_BUNDLE", "models/default")


def test_a_ratio_is_one_of_medians() -> None:
    one = [(1.0, 1.0, 100.0, 100.0, 1), (9.0, 1.0, 100.0, 100.0, 1), (2.0, 1.0, 100.0, 100.0, 1)]
    two = [(4.0, 2.0, 400.0, 500.0, 2)]
    *_, ratio = starts.text({"one": one, "two": two}).splitlines()
    assert ratio == "| ratio | 0.50 | 0.50 | 0.25 | 0.20 | 0.50 |"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core: none is left")
def test_measures_both(capsys: pytest.CaptureFixture[str]) -> None:
    starts.main(["--rounds=1", f"--bundle={BUNDLE}"])
    rows = capsys.readouterr().out.splitlines()[2:4]
    assert [float(row.strip("| ").split(" | ")[-1]) for row in rows] == [1, 2]
