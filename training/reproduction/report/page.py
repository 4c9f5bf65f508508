"""Put the chapters together, and write the page: one file that needs no network and no script."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from lesion import durable
from training.html.blocks import Chapter, Figure, Picture
from training.pipeline import checkpoints as stage
from training.reproduction.report import readme
from training.reproduction.report import result_files as files
from training.reproduction.report.sections import (
    beyond,
    claims,
    cohorts,
    curves,
    deployment,
    methods,
    paired,
    pictures,
    provenance,
    quality,
    readers,
    separation,
)

PAGE = "report.html"


class Page(NamedTuple):
    """The page, and the pictures that are part of it."""

    html: str
    pictures: tuple[Picture, ...]


def write(run: Path) -> None:
    """Write the page of a finished run into its folder."""
    durable.write(run / PAGE, render(*files.load(run)).html.encode())


def publish(run: Path, out: Path) -> None:
    """Write a finished run's page, results and pictures to `out`, replacing what was there.

    And a README for those who read the folder on the web.

    Raise `FileNotFoundError` where the run is not finished.
    """
    results, arrays = files.load(run)
    page = render(results, arrays)
    figures = out / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    for old in figures.iterdir():
        old.unlink()
    for picture in page.pictures:
        durable.write(figures / picture.name, picture.data)
    stage.write_json(out / files.RESULTS, results)
    durable.write(out / readme.README, readme.render(results).encode())
    durable.write(out / PAGE, page.html.encode())


def render(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Page:
    """Make the page of `results.json`'s contents; `arrays` are what pictures need besides."""
    chapters = tuple(_chapters(results, arrays))
    templates = Environment(
        loader=PackageLoader("training.reproduction.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["unbroken"] = _unbroken
    html = templates.get_template("template.html").render(
        run=results["run"],
        cohorts=results.get("cohorts"),
        repeats=results["run"]["resolved"]["repeats"],
        chapters=chapters,
        not_run=provenance.not_run(results),
        data_url=_data_url,
    )
    blocks = (block for chapter in chapters for block in chapter.blocks)
    shown = tuple(p for block in blocks if isinstance(block, Figure) for p in block.pictures)
    return Page(html, shown)


def _chapters(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Iterator[Chapter]:
    """Yield the chapters of what was run, the answer first."""
    if results.get("claims"):
        yield claims.chapter(results)
    if results.get("cohorts"):
        yield cohorts.chapter(results)
    if results.get("beyond"):
        yield beyond.chapter(results)
    yield curves.chapter(results)
    yield methods.generators(results)
    if results.get("rivals"):
        yield methods.rivals(results)
    if results.get("paired"):
        yield paired.chapter(results)
    if results.get("controls"):
        yield methods.controls(results)
    if "augmented" in arrays:
        yield pictures.chapter(results, arrays)
    if results.get("quality"):
        yield quality.chapter(results)
    if results.get("readers"):
        yield readers.chapter(results)
    if results.get("separation"):
        yield separation.chapter(results, arrays)
    if results.get("deployment"):
        yield deployment.chapter(results)
    if results.get("claims"):
        yield claims.evidence(results)
    yield provenance.chapter(results)


def _unbroken(text: str) -> str:
    """Keep a number with its percent sign, and "3-fold", on one line."""
    return text.replace(" %", "\u00a0%").replace("3-fold", "3\u2011fold")


def _data_url(picture: Picture) -> str:
    return f"data:{picture.media_type};base64,{b64encode(picture.data).decode()}"
