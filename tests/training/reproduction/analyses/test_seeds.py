"""A cohort is never made of the lesions that it is judged by, nor of those that it is given."""

import pytest

from lesion.errors import RunError
from training.presets import COHORTS_GRID, GRIDS, PAPER_GRID, QUICK_GRID, SMOKE_GRID
from training.reproduction import experiments
from training.reproduction.analyses import cohorts, deployment
from training.reproduction.tasks.cohort import Phantom, phantom

TEST = SMOKE_GRID.cohorts


@pytest.mark.parametrize(
    "seed", [experiments.NEW_SEED, TEST.fresh_seed, TEST.upper_bound_seed, TEST.seed + 1]
)
def test_a_seed_that_is_taken_is_refused(seed, store):
    cohort = phantom(Phantom(seed, SMOKE_GRID.counts, SMOKE_GRID.augmentation), "cohort")
    with pytest.raises(RunError, match=str(seed)):
        experiments.run(SMOKE_GRID, cohort, store, seed=seed, compute=lambda _name, _cells: None)


@pytest.mark.parametrize("name", GRIDS)
def test_no_seed_is_taken_twice(name):
    test = GRIDS[name].cohorts
    fixed = [
        experiments.NEW_SEED,
        deployment.NEIGHBOURS_SEED,
        test.fresh_seed,
        test.upper_bound_seed,
    ]
    further = [protocol.seed for protocol in cohorts.protocol_runs(GRIDS[name])]
    assert len({*fixed, *further, 1, 2, 3}) == len(fixed) + test.count + 3


def test_the_whole_grid_is_judged_by_lesions_that_shaped_no_preset():
    for seen in (QUICK_GRID.cohorts, COHORTS_GRID.cohorts):
        of = {*seen.seeds, seen.fresh_seed, seen.upper_bound_seed}
        test = PAPER_GRID.cohorts
        assert not of & {*test.seeds, test.fresh_seed, test.upper_bound_seed}
