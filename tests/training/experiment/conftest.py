"""Stores, a cohort of discs in one, and a workshop of tiny cells."""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from training.experiment import engine, presets
from training.experiment.cell import Cell
from training.experiment.reading import Truth
from training.experiment.reproduce import NEW_SEED
from training.experiment.store import Store
from training.experiment.study import Study
from training.experiment.trial import Trial
from training.experiment.work.cohort import IMPORTED, Imported, Phantom, phantom
from training.patches import Patches
from training.presets import SMOKE

from .workshop import Workshop


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
def study_of() -> Callable[[Truth], Study]:
    """Return a study of the smoke preset on a cohort that is known no further; all is named."""

    def name(truth: Truth) -> Study:
        config = Imported("made", "1" * 64, simulated=True, augmentation=SMOKE.augmentation, seed=7)
        cohort = Cell(IMPORTED, config, label="made")
        new = phantom(Phantom(NEW_SEED, presets.SMOKE.new, SMOKE.augmentation), "new cases")
        return Study((Trial(presets.SMOKE, cohort, 1),), truth, new, 24, 8, {}, {})

    return name


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
