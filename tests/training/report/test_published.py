"""The report that is committed: whole, small, and every number that the docs quote is in it."""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.experiment.presets import QUICK
from training.report import files, page, readme

from .known import known_numbers

ROOT = Path(__file__).parents[3]
PUBLISHED = ROOT / "docs" / "reproduction"


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    return json.loads((PUBLISHED / files.RESULTS).read_text(encoding="utf-8"))


def test_is_of_the_phantom_and_of_the_preset_as_it_stands(results):
    assert results["run"]["cohort"]["simulated"] is True
    assert results["run"]["resolved"] == json.loads(json.dumps(asdict(QUICK)))


def test_its_readme_says_what_the_results_say(results):
    assert (PUBLISHED / readme.README).read_text(encoding="utf-8") == readme.render(results)


def test_it_is_whole_and_small():
    told = (PUBLISHED / readme.README).read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([^)]+)\)", told))
    assert {files.RESULTS, page.PAGE, "figures/fig-8-curves.svg", "figures/cohorts.svg"} <= linked
    assert all((PUBLISHED / one).is_file() for one in linked)
    assert sum(one.stat().st_size for one in PUBLISHED.rglob("*") if one.is_file()) < 2_000_000


def test_its_page_shows_no_number_that_is_not_in_the_results(results):
    shown = re.findall(r'<data value="([^"]+)">', (PUBLISHED / page.PAGE).read_text("utf-8"))
    known = np.array(sorted(known_numbers(results)))
    missing = [
        value for value in map(float, shown) if not np.isclose(known, value, rtol=1e-9).any()
    ]
    assert len(shown) > 300
    assert not missing
