from itertools import product

import numpy as np
import pytest
from scipy import stats

from training.evaluation import bootstrap

VALUES = np.array([1, -0.5, 1, 0.5, 1.0, 0.0])
PATIENTS = np.array(["a", "b", "b", "c", "d", "e"])


def every_draw(statistic):
    """A statistic of the lesions of all 5^5 draws of the patients."""
    of = [np.flatnonzero(p == PATIENTS) for p in "abcde"]
    return np.array(
        [statistic(np.concatenate([of[k] for k in d])) for d in product(range(5), repeat=5)]
    )


def test_the_mean_is_that_of_every_possible_draw():
    found = bootstrap.bootstrap_mean(VALUES, PATIENTS, seed=1, resamples=40_000)
    assert found.value == VALUES.mean()
    expected = np.quantile(every_draw(lambda lesions: VALUES[lesions].mean()), (0.025, 0.975))
    assert found[1:] == pytest.approx(expected, abs=0.02)


def test_a_gain_is_drawn_with_one_patient_more_who_gains_and_one_who_loses():
    """Each of as many lesions as the others have in the mean."""
    found = bootstrap.bootstrap_gain(VALUES, PATIENTS, seed=1, resamples=40_000)
    usual = 6 / 5
    sums = {"a": (1, 1), "b": (0.5, 2), "c": (0.5, 1), "d": (1, 1), "e": (0, 1)}
    sums |= {"gains": (usual, usual), "loses": (-usual, usual)}
    draws = np.array(list(product(np.array(list(sums.values())), repeat=7)))
    total, lesions = draws.sum(axis=1).T
    assert found.value == VALUES.mean()
    assert found[1:] == pytest.approx(np.quantile(total / lesions, (0.025, 0.975)), abs=0.02)


def test_the_difference_of_groups_is_that_of_every_draw_that_holds_both():
    first = np.array([1, 1, 0, 0, 1, 0], bool)

    def between(lesions):
        group = first[lesions]
        if group.all() or not group.any():
            return np.nan
        return VALUES[lesions][group].mean() - VALUES[lesions][~group].mean()

    found = bootstrap.bootstrap_between(VALUES, first, ~first, PATIENTS, seed=1, resamples=40_000)
    assert found.value == between(np.arange(6))
    assert found[1:] == pytest.approx(np.nanquantile(every_draw(between), (0.025, 0.975)), abs=0.02)


def test_groups_count_alike_in_every_draw_that_holds_them_all():
    group = np.array([1, 1, 0, 0, 0, 0])

    def balanced(lesions):
        own = [VALUES[lesions][group[lesions] == k] for k in (0, 1)]
        return np.mean([one.mean() for one in own]) if all(map(len, own)) else np.nan

    found = bootstrap.bootstrap_balanced(VALUES, group, PATIENTS, seed=1, resamples=40_000)
    assert found.value == balanced(np.arange(6)) != VALUES.mean()
    expected = np.nanquantile(every_draw(balanced), (0.025, 0.975))
    assert found[1:] == pytest.approx(expected, abs=0.02)


def test_of_many_patients_it_is_the_normal_interval(monkeypatch):
    monkeypatch.setattr(bootstrap, "_PER_BATCH", 30_000)  # the last batch is a part
    values = np.random.default_rng(2).gamma(2, 1, 400)
    found = bootstrap.bootstrap_mean(values, np.arange(400), seed=1)
    expected = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert found[1:] == pytest.approx(expected, abs=0.01)


def test_an_empty_group_is_refused():
    none = np.zeros(6, bool)
    with pytest.raises(ValueError, match="found groups of 0 and 6 lesions"):
        bootstrap.bootstrap_between(VALUES, none, ~none, PATIENTS, seed=1)


def test_one_patient_is_refused():
    with pytest.raises(ValueError, match="found 1 patients"):
        bootstrap.bootstrap_mean(VALUES, np.full(6, "a"), seed=1)
