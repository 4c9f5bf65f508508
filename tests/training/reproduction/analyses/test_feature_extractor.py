"""The network in whose features synthetic lesions are measured: what it learned and looks at."""

from dataclasses import replace

import numpy as np
import pytest

from training.reproduction import independent_test_set as fresh
from training.reproduction.analyses import cohorts, curves
from training.reproduction.analyses import feature_extractor as extractor
from training.reproduction.predictions import Truth
from training.reproduction.presets import SMOKE
from training.reproduction.protocol import generators


@pytest.fixture
def study(study_of):
    known = study_of(Truth(np.repeat(np.arange(3), 9), np.arange(27)))
    return replace(known, cohorts={SMOKE.cohorts.seed: (24, 8)})


def behind(cell):
    return {cell} | {each for needed in cell.inputs.values() for each in behind(needed)}


def trained_on(cell):
    learned = [one for role, one in cell.inputs.items() if not role.startswith("judged-")]
    return {one for cell in learned for one in behind(cell)}


def test_it_learned_from_no_lesion_that_a_generator_learned_from_or_is_measured_by(study):
    learned = trained_on(extractor.cell(study))
    assert learned == {cohorts.trials(study.experiment)[0].cohort}
    theirs = {study.trial.cohort, study.new, *fresh.lesions(study.experiment)}
    assert not learned & theirs


def test_it_looks_at_the_spare_images_of_every_generator_of_the_folds(study):
    seen = behind(extractor.cell(study))
    made = [
        one
        for split in study.trial.splits
        for kind in curves.KINDS
        for one in generators(study.trial, split, kind, classic=study.classic).values()
    ]
    assert len(set(made)) == 3 * (3 + 1 + 1)
    assert set(made) <= seen


def test_each_folds_images_are_found_again(store, study):
    cell = extractor.cell(study)
    roles = [role.removeprefix("judged-") for role in cell.inputs if role.startswith("judged-")]
    store.save(
        cell,
        {f"features_{role}": np.full((48, 2), index) for index, role in enumerate(roles)},
        seconds=0.0,
    )
    found = {
        (split.fold, kind, name): images
        for split in study.trial.splits
        for kind in curves.KINDS
        for name, images in extractor.of_spares(store, study, split, kind).items()
    }
    assert len(found) == 3 * 3 * 3
    for (fold, kind, name), images in found.items():
        role = f"{fold}_{kind}" if kind != "dcgan" else f"{fold}_{kind}-{name}"
        assert (images == roles.index(role)).all()
        assert len(images) == (48 if kind == "dcgan" else 16)
