"""A run of the smoke preset, recorded; its pictures are noise."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.html.blocks import Picture
from training.phantom.classes import CLASSES
from training.reproduction.report import page
from training.reproduction.report.figures import cohorts, curves, embedding, risk
from training.reproduction.report.page import Page


def record() -> dict[str, Any]:
    path = Path(__file__).with_name("smoke.json")
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def results() -> dict[str, Any]:
    """What the run found, to be changed at will."""
    return record()


@pytest.fixture(scope="session")
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)

    def patches(count: int) -> np.ndarray:
        return rng.random((count, 64, 64)).astype(np.float16)

    kinds = ("real", "dcgan", "acgan", "conditional")
    galleries = {f"{kind}-{name}": patches(12) for kind in kinds for name in CLASSES}
    points = {f"tsne-{arm}": rng.random((45, 2)) for arm in ("classic", "gan")}
    known = {"tsne-classes": np.arange(45) // 15, "tsne-original": np.arange(45) % 5 == 0}
    return {"augmented": patches(24), **galleries, **points, **known}


@pytest.fixture(scope="session")
def whole(arrays: dict[str, np.ndarray]) -> Page:
    """The page of the whole run."""
    return page.render(record(), arrays)


@pytest.fixture
def sketched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave figures undrawn, which takes most of a page's time."""
    blank = Picture("blank.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "A figure, undrawn.")
    for module in (cohorts, curves, embedding, risk):
        monkeypatch.setattr(module, "draw", lambda *_, **__: blank)
