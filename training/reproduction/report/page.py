"""Put the sections together, and write the report: a page, and a README for the web."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lesion import durable
from training.html.blocks import Section
from training.html.page import Page, render_markdown, render_page
from training.pipeline import checkpoints
from training.reproduction.analyses.catalogue import ANALYSES
from training.reproduction.report import result_files
from training.reproduction.report.sections import claims, provenance

PAGE, README = "report.html", "README.md"
_PACKAGE = "training.reproduction.report"


def write(run: Path) -> None:
    """Write the page of a finished run into its folder."""
    durable.write(run / PAGE, render(*result_files.load(run)).html.encode())


def publish(run: Path, out: Path) -> None:
    """Write a finished run's page, results and pictures to `out`, replacing what was there.

    And a README for those who read the folder on the web.

    Raise `FileNotFoundError` where the run is not finished.
    """
    results, arrays = result_files.load(run)
    page = render(results, arrays)
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for old in figures.iterdir():
        old.unlink()
    for picture in page.pictures:
        durable.write(figures / picture.name, picture.data)
    checkpoints.write_json(out / result_files.RESULTS, results)
    durable.write(out / README, render_readme(results).encode())
    durable.write(out / PAGE, page.html.encode())


def render(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Page:
    """Make the page of `results.json`'s contents; `arrays` are what pictures need besides."""
    return render_page(
        _PACKAGE,
        "template.html",
        tuple(_sections(results, arrays)),
        run=results["run"],
        cohorts=results.get("cohorts"),
        repeats=results["run"]["resolved"]["repeats"],
        not_run=provenance.not_run(results),
    )


def render_readme(results: Mapping[str, Any]) -> str:
    """Write the claims, the curves and the cohort-level tests of `results.json` in Markdown."""
    sections = [claims.section(results)] if results.get("claims") else []
    sections += [
        write_section(results, {})
        for analysis in ANALYSES
        if analysis.in_readme and results.get(analysis.name)
        for write_section in analysis.sections[:1]
    ]
    return render_markdown(_PACKAGE, "readme.md", sections, run=results["run"])


def _sections(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Iterator[Section]:
    """Yield the sections of what was run, the answer first."""
    if results.get("claims"):
        yield claims.section(results)
    for analysis in ANALYSES:
        if results.get(analysis.name) or (analysis.results is None and arrays):
            for write_section in analysis.sections:
                yield write_section(results, arrays)
    if results.get("claims"):
        yield claims.evidence(results)
    yield provenance.section(results)
