"""A study of the smoke preset, and tasks computed in this process."""

from collections.abc import Callable, Iterable

import pytest

from training.pipeline import scheduler as engine
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.presets import SMOKE
from training.reproduction import presets
from training.reproduction.experiments import NEW_SEED
from training.reproduction.predictions import Truth
from training.reproduction.protocol import Trial
from training.reproduction.setup import Study
from training.reproduction.tasks.cohort import IMPORTED, Imported, Phantom, phantom


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
