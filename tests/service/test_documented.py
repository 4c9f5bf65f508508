"""docs/problems.md names each problem with its status, docs/formats.md what else an answer says."""

import re
from pathlib import Path
from typing import get_args

import pytest

from lesion import errors
from lesion.annotation.lesions import SkipReason
from service import problems
from service.answers import Reason
from service.dimse import fit, identity
from service.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "problems.md").read_text(encoding="utf-8")
FORMATS = (DOCS / "formats.md").read_text(encoding="utf-8")

#: Raised for none of its own: each only gathers others.
GROUPS = {
    *(errors.InputError, errors.MalformedError, errors.UnsupportedError, errors.UnusableError),
    *(errors.OutlineError, problems.ServiceError, problems.ParameterError, problems.PacsError),
}
LISTENERS = {fit.NoSeriesError, identity.IdentityError}


def sections(text):
    return dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))


def rows(section):
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def classes(base):
    return {base} | {each for one in base.__subclasses__() for each in classes(one)}


def test_every_problem_and_its_status():
    answered = sections(TEXT)
    del answered["The listener alone"]
    named = [
        (slug, int(status))
        for section in answered.values()
        for names, status, *_ in rows(section)
        for slug in re.findall(r"`([a-z-]+)`", names)
    ]
    known = {
        (error.slug, problems.status_of(error))
        for error in classes(errors.InputError) - GROUPS - LISTENERS
        if error.__module__ in {errors.__name__, problems.__name__}
    }
    assert len(named) == len(set(named))
    assert set(named) == known


def test_the_listeners_own():
    named = {name.strip("`") for name, *_ in rows(sections(TEXT)["The listener alone"])}
    assert named == {error.slug for error in LISTENERS}


def test_every_setting_that_is_named_exists():
    known = {f"HEPATICA_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"HEPATICA_\w+", TEXT)) <= known


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", TEXT))
def test_links_lead_to_a_heading(link):
    path, _, anchor = link.partition("#")
    page = (DOCS / path).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", page, re.MULTILINE)
    assert not anchor or anchor in {one.lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize(
    ("title", "known"),
    [
        ("When the service abstains", get_args(Reason.model_fields["code"].annotation)),
        ("Which structures are lesions", tuple(SkipReason)),
    ],
)
def test_every_reason(title, known):
    cells = [row[0] for row in rows(sections(FORMATS)[title])]
    named = [cell.strip("`") for cell in cells if not cell.startswith("`reason")]
    assert sorted(named) == sorted(known)
