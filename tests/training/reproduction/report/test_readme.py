"""A report's README: the claims and the cohort-level tests, in Markdown that renders."""

import re
from typing import Any

from training.reproduction.report import page


def tables(told: str) -> list[list[str]]:
    """Each table's lines."""
    found = re.findall(r"(?:^\|.*\n)+", told, flags=re.MULTILINE)
    return [one.splitlines() for one in found]


def test_begins_with_what_it_is_not(results: dict[str, Any]) -> None:
    told = page.render_readme(results)
    assert told.startswith("# Frid-Adar et al. 2018 beside a re-run: phantom, not patients\n")
    assert "**Every lesion here is simulated.**" in told
    results["run"]["cohort"] |= {"simulated": False, "name": "our site"}
    told = page.render_readme(results)
    assert told.startswith("# Frid-Adar et al. 2018 beside a re-run: our site\n")
    assert "simulated.**" not in told


def test_every_claim_and_every_arm_has_its_row(results: dict[str, Any]) -> None:
    told = page.render_readme(results)
    for claim in results["claims"]:
        (row,) = (line for line in told.splitlines() if line.startswith(f"| {claim['text']} "))
        assert f"| {claim['verdict']} |" in row
    for way in results["beyond"]["arms"].values():
        assert sum(line.startswith(f"| classic + {way} |") for line in told.splitlines()) == 3


def test_its_tables_are_tables(results: dict[str, Any]) -> None:
    found = tables(page.render_readme(results))
    assert len(found) >= 7
    for head, rule, *rows in found:
        width = head.count("|")
        assert set(rule) == {"|", "-"}
        assert rows
        assert {line.count("|") for line in (rule, *rows)} == {width}
