"""The cohort-level comparison: what its intervals are about, and what its arms are given."""

import numpy as np
import pytest
from scipy import stats

from training.data.augment import Augmentation
from training.data.training_sets import group_size
from training.presets import COHORTS_GRID, FURTHER, GRIDS, PAPER_GRID, QUICK_GRID
from training.reproduction.analyses import beyond
from training.reproduction.analyses.cohorts import ARMS, NEEDED, arm, arms, protocol_runs
from training.reproduction.arm_comparison import ArmScores, compare

PATIENTS = np.repeat(np.arange(200), 2)


def right(gain):
    """Arms on 8 cohorts and 400 lesions; the arm `gan` gains on these lesions, in all."""
    rng = np.random.default_rng(0)
    found = {name: rng.random((8, 400)) < 0.8 for name in ARMS}
    found["gan"] = found["classic"] | gain
    return ArmScores(found, {name: list(rng.random(8)) for name in ARMS}, PATIENTS)


def test_beside_it_stands_the_t_interval_over_cohorts_on_these_lesions():
    found = right(gain=np.zeros(400, dtype=bool))
    one = compare(found, "conditional", "classic")
    oracle = stats.ttest_rel(*(found.right[n].mean(axis=1) for n in ("conditional", "classic")))
    assert one["cohorts_alone"][1:] == pytest.approx(list(oracle.confidence_interval()))
    oracle = stats.ttest_rel(found.likelihood["conditional"], found.likelihood["classic"])
    interval = one["negative_log_likelihood"]
    assert interval[1:] == pytest.approx(list(oracle.confidence_interval()))


def test_the_interval_holds_the_chance_of_the_lesions_that_all_cohorts_share():
    one = compare(right(gain=np.arange(400) < 40), "gan", "classic")
    value, low, high = one["difference"]
    alone, lowest, highest = one["cohorts_alone"]
    assert value == pytest.approx(alone)
    # Every cohort gains on the same tenth of the lesions: cohorts agree, other lesions would not.
    assert high - low > 1.5 * (highest - lowest)


def test_generators_draw_what_their_cohorts_groups_need():
    size = max(PAPER_GRID.cohorts.synthetic)
    task = arm(protocol_runs(PAPER_GRID)[0], "gan", best=(5000, size))
    drawn = {one.config.count for role, one in task.inputs.items() if role.startswith("synthetic-")}
    (count,) = drawn
    assert 3 * size <= count < 1.1 * 3 * size


@pytest.fixture(params=GRIDS)
def upper_bound(request):
    grid = GRIDS[request.param]
    largest = max(grid.cohorts.classic), max(grid.cohorts.synthetic)
    return request.param, arm(protocol_runs(grid)[0], "upper_bound", best=largest)


def test_the_upper_bounds_lesions_have_augmentations_for_the_largest_group(
    upper_bound,
):
    _, task = upper_bound
    pool = task.inputs["cohort"].config
    chosen = np.ones(sum(pool.counts), dtype=bool)
    each = round(group_size(task.config.data.classic_per_fold, chosen) / len(chosen))
    assert 0 < each <= pool.augmentation.count < each + Augmentation(rotations=1).count


def test_a_claim_can_do_without_the_further_arms():
    assert arms(PAPER_GRID) == ARMS
    assert arms(COHORTS_GRID) == NEEDED == ("classic", "gan", "upper_bound")


def test_every_further_arm_is_one_of_a_section():
    known = {*ARMS, *beyond.ARMS} - {*NEEDED}
    assert len(FURTHER) == len(known)
    assert set(FURTHER) == known
    assert all({*preset.cohorts.further} <= known for preset in GRIDS.values())


def test_twenty_cohorts_take_from_four_what_was_computed():
    """The same cohorts, generators and upper bound, only more; and more lesions that judge."""
    few, many = (protocol_runs(preset) for preset in (QUICK_GRID, COHORTS_GRID))
    for one, same in zip(few, many, strict=False):
        assert one.cohort == same.cohort
        theirs, ours = (arm(protocol, "gan", best=(2000, 500)).inputs for protocol in (one, same))
        made = [role for role in theirs if not role.startswith("judged-")]
        assert len(made) == 4
        assert all(theirs[role] == ours[role] for role in made)
        assert not set(few[0].grid.cohorts.classic) - {*COHORTS_GRID.cohorts.classic}
    pools = [arm(ts[0], "upper_bound", best=(2000, 500)).inputs["cohort"] for ts in (few, many)]
    assert pools[0] == pools[1]
