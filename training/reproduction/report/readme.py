"""The chapters that answer first, in Markdown: what a reader of the repository sees of a report."""

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from training.html.blocks import Chapter
from training.reproduction.report.sections import beyond, claims, cohorts, curves

README = "README.md"


def render(results: Mapping[str, Any]) -> str:
    """Write the claims, the curves and the cohort-level tests of `results.json` in Markdown."""
    templates = Environment(
        loader=PackageLoader("training.reproduction.report", "."),
        autoescape=False,  # noqa: S701 - Markdown, of our own words and numbers
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = templates.get_template("readme.md")
    return template.render(run=results["run"], chapters=tuple(_chapters(results)))


def _chapters(results: Mapping[str, Any]) -> Iterator[Chapter]:
    if results.get("claims"):
        yield claims.chapter(results)
    if results.get("cohorts"):
        yield cohorts.chapter(results)
    if results.get("beyond"):
        yield beyond.chapter(results)
    yield curves.chapter(results)
