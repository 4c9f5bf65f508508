"""A setup of the smoke preset, and tasks computed in this process."""

from collections.abc import Callable, Iterable

import pytest

from training.pipeline import scheduler
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.presets import SMOKE_GRID
from training.reproduction.experiments import NEW_SEED
from training.reproduction.predictions import Labels
from training.reproduction.protocol import ProtocolRun
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.cohort import IMPORTED, Imported, Phantom, phantom


@pytest.fixture
def setup_of() -> Callable[[Labels], ExperimentSetup]:
    """Return a setup of the smoke preset on a cohort that is known no further; all is named."""

    def name(truth: Labels) -> ExperimentSetup:
        config = Imported(
            "made", "1" * 64, simulated=True, augmentation=SMOKE_GRID.augmentation, seed=7
        )
        cohort = Task(IMPORTED, config, label="made")
        new = phantom(Phantom(NEW_SEED, SMOKE_GRID.new, SMOKE_GRID.augmentation), "new cases")
        return ExperimentSetup((ProtocolRun(SMOKE_GRID, cohort, 1),), truth, new, 24, 8, {}, {})

    return name


@pytest.fixture
def compute(store: ArtifactStore) -> Callable[[Iterable[Task]], None]:
    """Compute what the store lacks for these tasks, in this process."""

    def run(tasks: Iterable[Task]) -> None:
        for task in scheduler.pending(tasks, store):
            scheduler.compute(task, store)

    return run
