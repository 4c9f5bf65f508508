"""Equal updates, that one result does not count as two, and what is no evidence for a site."""

from dataclasses import replace

import numpy as np
import pytest

from training.pipeline.tasks import Task
from training.presets import GRIDS, SMOKE_GRID
from training.reproduction.analyses import arms, controls, curves
from training.reproduction.predictions import Labels
from training.reproduction.protocol import ProtocolRun
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.cohort import IMPORTED, Imported, Phantom, phantom
from training.settings import CnnSettings


@pytest.fixture
def setup_of():
    def setup(grid):
        cohort = phantom(Phantom(1, grid.counts, grid.augmentation), "cohort")
        truth = Labels(np.repeat([0, 1, 2], [53, 64, 65]), np.arange(182).astype(str))
        best = grid.classic[-1], grid.synthetic[-1]
        return ExperimentSetup((ProtocolRun(grid, cohort, 1),), truth, cohort, *best, {}, {})

    return setup


def trained_for(setup, name):
    return {task.config.preset.updates for folds in controls.arms(setup)[name] for task in folds}


def test_every_control_gets_the_updates_of_the_best_classic_arm(setup_of):
    setup = replace(setup_of(GRIDS["paper"]), classic=5000)
    # 121 lesions and 10,000 augmentations of them, 64 at a time, 150 times over.
    assert controls.updates(setup) == 150 * 159
    assert all(trained_for(setup, name) == {150 * 159} for name in controls.arms(setup))


def test_a_protocol_of_equal_updates_gives_no_second_evidence(setup_of, store, monkeypatch):
    monkeypatch.setattr(curves, "best", lambda *_: SMOKE_GRID.synthetic[0])
    same = replace(SMOKE_GRID, updates=None, cnn=CnnSettings(updates=5))
    names = set(arms.named(store, setup_of(same)))
    assert "classic" in names
    assert not {"none, equal updates", "classic, equal updates"} & names
    other = arms.named(store, setup_of(replace(same, updates=6)))
    assert {"none, equal updates", "classic, equal updates"} <= set(other)


def test_simulated_cases_are_no_new_cases_of_a_sites_cohort(setup_of, store, monkeypatch):
    monkeypatch.setattr(curves, "best", lambda *_: SMOKE_GRID.synthetic[0])
    setup = setup_of(SMOKE_GRID)
    config = Imported(
        "a site", "0" * 64, simulated=False, augmentation=SMOKE_GRID.augmentation, seed=1
    )
    site = replace(setup.protocol, cohort=Task(IMPORTED, config))
    assert "new" in arms.named(store, setup)
    assert "new" not in arms.named(store, replace(setup, repeats=(site,)))
