"""The network in whose features synthetic lesions are measured: what it learned and looks at."""

from dataclasses import replace

import numpy as np
import pytest

from training.pipeline.origin import Origin
from training.presets import SMOKE_GRID
from training.reproduction import independent_test_set
from training.reproduction.analyses import cohorts, feature_extractor
from training.reproduction.predictions import Labels
from training.reproduction.protocol import generators


@pytest.fixture
def setup(setup_of):
    known = setup_of(Labels(np.repeat(np.arange(3), 9), np.arange(27)))
    return replace(known, cohorts={SMOKE_GRID.cohorts.seed: (24, 8)})


def behind(task):
    return {task} | {each for needed in task.inputs.values() for each in behind(needed)}


def trained_on(task):
    learned = [one for role, one in task.inputs.items() if not role.startswith("judged-")]
    return {one for task in learned for one in behind(task)}


def test_it_learned_from_no_lesion_that_a_generator_learned_from_or_is_measured_by(setup):
    learned = trained_on(feature_extractor.task(setup))
    assert learned == {cohorts.protocol_runs(setup.grid)[0].cohort}
    theirs = {setup.protocol.cohort, setup.new, *independent_test_set.lesions(setup.grid)}
    assert not learned & theirs


def test_it_looks_at_the_spare_images_of_every_generator_of_the_folds(setup):
    seen = behind(feature_extractor.task(setup))
    made = [
        one
        for split in setup.protocol.splits
        for kind in setup.grid.kinds
        for one in generators(setup.protocol, split, kind, classic=setup.classic).values()
    ]
    assert len(set(made)) == 3 * (3 + 1 + 1)
    assert set(made) <= seen


def test_each_folds_images_are_found_again(store, setup):
    task = feature_extractor.task(setup)
    roles = [role.removeprefix("judged-") for role in task.inputs if role.startswith("judged-")]
    store.save(
        task,
        {f"features_{role}": np.full((48, 2), index) for index, role in enumerate(roles)},
        Origin(0.0),
    )
    found = {
        (split.fold, kind, name): images
        for split in setup.protocol.splits
        for kind in setup.grid.kinds
        for name, images in feature_extractor.of_spares(store, setup, split, kind).items()
    }
    assert len(found) == 3 * 3 * 3
    for (fold, kind, name), images in found.items():
        role = f"{fold}_{kind}" if kind != "dcgan" else f"{fold}_{kind}-{name}"
        assert (images == roles.index(role)).all()
        assert len(images) == (48 if kind == "dcgan" else 16)
