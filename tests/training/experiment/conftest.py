"""Stores, a cohort of discs in one, and tiny works that note which process did them."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from training.experiment import engine
from training.experiment.cell import Cell, Work
from training.experiment.store import Store
from training.experiment.work.cohort import IMPORTED, Imported
from training.patches import Patches
from training.presets import SMOKE


@dataclass(frozen=True)
class Step:
    """What a tiny cell does besides its sum: it waits `seconds`, for a `friend` to begin, or ends.

    It leaves the file `name.pid` in `folder`, before it does anything.
    """

    name: str
    folder: str
    seconds: float = 0.0
    friend: str = ""
    ends: str = ""


def _sum(config, inputs):
    folder = Path(config.folder)
    (folder / f"{config.name}.{os.getpid()}").touch()
    time.sleep(config.seconds)
    patience = time.monotonic() + 60
    while config.friend and not list(folder.glob(f"{config.friend}.*")):
        assert time.monotonic() < patience, "it is alone"
        time.sleep(0.01)
    if config.ends == "raises":
        raise ValueError("no such thing")
    if config.ends == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    noise = np.random.default_rng(len(config.name)).normal(size=40_000)
    return {"noise": noise, "sum": noise + sum(arrays["sum"] for arrays in inputs.values())}


SUM = Work("sum", _sum)


@dataclass(frozen=True)
class Workshop:
    """Makes tiny cells, and tells which processes began them."""

    folder: Path

    def cell(self, name: str, *needed: Cell, work: Work = SUM, **more) -> Cell:
        inputs = {f"input-{index}": cell for index, cell in enumerate(needed)}
        return Cell(work, Step(name, str(self.folder), **more), inputs, label=f"cell {name}")

    def began(self, name: str = "*") -> list[int]:
        """The processes that began the cell, or any."""
        return sorted(int(path.suffix[1:]) for path in self.folder.glob(f"{name}.*"))

    def wait(self, name: str, times: int = 1) -> list[int]:
        patience = time.monotonic() + 60
        while len(self.began(name)) < times:
            assert time.monotonic() < patience, f"{name} does not begin"
            time.sleep(0.01)
        return self.began(name)


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    folder = tmp_path / "began"
    folder.mkdir()
    return Workshop(folder)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cells")


@pytest.fixture
def discs(cut: Patches, store: Store) -> Cell:
    """The cohort of discs, in the store; in more patients, of whom some have two lesions."""
    alone = np.arange(len(cut.classes)) % 4 > 1
    config = Imported("discs", "0" * 64, simulated=True, augmentation=SMOKE.augmentation, seed=7)
    cell = Cell(IMPORTED, config, label="discs")
    arrays = {
        "originals": cut.originals,
        "variants": cut.variants,
        "classes": cut.classes,
        "diameter_mm": cut.diameter_mm,
        "lesion_ids": np.array(cut.lesion_ids),
        "patient_ids": np.where(alone, cut.lesion_ids, cut.patient_ids),
    }
    store.save(cell, arrays, seconds=0.0)
    return cell


@pytest.fixture
def compute(store: Store) -> Callable[[Iterable[Cell]], None]:
    """Compute what the store lacks for these cells, in this process."""

    def run(cells: Iterable[Cell]) -> None:
        for cell in engine.pending(cells, store):
            engine.compute(cell, store)

    return run


@pytest.fixture
def files() -> Callable[[Store], dict[str, bytes]]:
    """Return every array of a store, byte by byte."""

    def read(store: Store) -> dict[str, bytes]:
        return {
            path.relative_to(store.folder).as_posix(): path.read_bytes()
            for path in store.folder.glob("??/*/*.npy")
        }

    return read


@pytest.fixture(scope="module", autouse=True)
def own_environment() -> Iterator[None]:
    """Take back what engines set for their workers."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
