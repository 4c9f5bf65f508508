"""A cohort is never made of the lesions that it is judged by, nor of those that it is given."""

import pytest

from lesion.errors import RunError
from training.experiment import reproduce
from training.experiment.fresh import FRESH_SEED
from training.experiment.presets import SMOKE
from training.experiment.sections import cohorts
from training.experiment.work.cohort import Phantom, phantom


@pytest.mark.parametrize(
    "seed",
    [reproduce.NEW_SEED, FRESH_SEED, cohorts.CEILING_SEED, cohorts.FIRST_SEED + 1],
)
def test_a_seed_that_is_taken_is_refused(seed, store):
    cohort = phantom(Phantom(seed, SMOKE.counts, SMOKE.augmentation), "cohort")
    with pytest.raises(RunError, match=str(seed)):
        reproduce.run(SMOKE, cohort, store, seed=seed, compute=lambda _name, _cells: None)


def test_no_seed_is_taken_twice():
    fixed = [reproduce.NEW_SEED, FRESH_SEED, cohorts.CEILING_SEED]
    further = [trial.seed for trial in cohorts.trials(SMOKE)]
    assert len({*fixed, *further}) == len(fixed) + len(further)
