"""docs/pacs/integration.md says what the configuration takes and what goes wrong."""

import re
from pathlib import Path

import pytest

from service import problems
from service.pacs.config import Pacs, load

TEXT = Path(__file__).parents[3].joinpath("docs/pacs/integration.md").read_text(encoding="utf-8")


def rows(heading):
    """A section's table, its head and rule left out."""
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_key_and_its_default():
    told = {key.strip("`"): default for key, default, _ in rows("Name it")}
    meant = {}
    for name, field in Pacs.model_fields.items():
        words = {None: "none", False: "`false`"}.get(field.default, f"`{field.default}`")
        meant[name] = "" if field.is_required() else words
    assert told == meant


def test_the_example_is_one(tmp_path, monkeypatch):
    (example,) = re.findall(r"```toml\n(.*?)```", TEXT, flags=re.DOTALL)
    (tmp_path / "secret").write_text("open sesame\n")
    example = example.replace("/run/secrets/archive", str(tmp_path / "secret"))
    example = re.sub(r"ca_bundle = .*\n", "", example)
    (tmp_path / "pacs.toml").write_text(example)
    (pacs,) = load(tmp_path / "pacs.toml").values()
    assert pacs.store is True
    assert pacs.password.read() == "open sesame"


def classes(base):
    return {base} | {each for one in base.__subclasses__() for each in classes(one)}


@pytest.mark.parametrize("row", rows("Bad days"), ids=lambda row: row[2])
def test_every_problem_and_its_status(row):
    _, status, problem = row
    (slug,) = re.findall(r"`([a-z-]+)`", problem.split(",")[0])
    (error,) = (one for one in classes(problems.InputError) if one.slug == slug)
    # A report that was refused costs nobody the answer.
    assert int(status) == (200 if slug == "pacs-store" else problems.status_of(error))


def test_no_pacs_problem_is_left_out():
    told = set(re.findall(r"`(pacs-[a-z]+)`", TEXT))
    known = {one.slug for one in classes(problems.PacsError) if one is not problems.PacsError}
    assert told == known | {"pacs-missing"}
