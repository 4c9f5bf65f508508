"""Equal updates, that one result does not count as two, and what is no evidence for a site."""

from dataclasses import replace

import numpy as np
import pytest

from training.pipeline.tasks import Cell
from training.presets import CnnPreset
from training.reproduction.analyses import arms, controls, curves
from training.reproduction.predictions import Truth
from training.reproduction.presets import EXPERIMENTS, SMOKE
from training.reproduction.protocol import Trial
from training.reproduction.setup import Study
from training.reproduction.tasks.cohort import IMPORTED, Imported, Phantom, phantom


@pytest.fixture
def study_of():
    def study(experiment):
        cohort = phantom(Phantom(1, experiment.counts, experiment.augmentation), "cohort")
        truth = Truth(np.repeat([0, 1, 2], [53, 64, 65]), np.arange(182).astype(str))
        best = experiment.classic[-1], experiment.synthetic[-1]
        return Study((Trial(experiment, cohort, 1),), truth, cohort, *best, {}, {})

    return study


def trained_for(study, name):
    return {cell.config.preset.updates for folds in controls.arms(study)[name] for cell in folds}


def test_every_control_gets_the_updates_of_the_best_classic_arm(study_of):
    study = replace(study_of(EXPERIMENTS["paper"]), classic=5000)
    # 121 lesions and 10,000 augmentations of them, 64 at a time, 150 times over.
    assert controls.updates(study) == 150 * 159
    assert all(trained_for(study, name) == {150 * 159} for name in controls.arms(study))


def test_a_protocol_of_equal_updates_gives_no_second_evidence(study_of, store, monkeypatch):
    monkeypatch.setattr(curves, "best", lambda *_: SMOKE.synthetic[0])
    same = replace(SMOKE, updates=None, cnn=CnnPreset(updates=5))
    names = set(arms.named(store, study_of(same)))
    assert "classic" in names
    assert not {"none, equal updates", "classic, equal updates"} & names
    other = arms.named(store, study_of(replace(same, updates=6)))
    assert {"none, equal updates", "classic, equal updates"} <= set(other)


def test_simulated_cases_are_no_new_cases_of_a_sites_cohort(study_of, store, monkeypatch):
    monkeypatch.setattr(curves, "best", lambda *_: SMOKE.synthetic[0])
    study = study_of(SMOKE)
    config = Imported("a site", "0" * 64, simulated=False, augmentation=SMOKE.augmentation, seed=1)
    site = replace(study.trial, cohort=Cell(IMPORTED, config))
    assert "new" in arms.named(store, study)
    assert "new" not in arms.named(store, replace(study, repeats=(site,)))
