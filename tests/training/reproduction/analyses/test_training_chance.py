"""The chance of training: the same folds and groups, and networks of other seeds."""

from dataclasses import replace

import numpy as np
import pytest

from training.reproduction.analyses import curves, seeds
from training.reproduction.predictions import Labels


@pytest.fixture
def setup(setup_of):
    patients = np.array([f"P{lesion // 2:03d}" for lesion in range(27)])
    return setup_of(Labels(np.arange(27) % 3, patients))


def test_the_first_seed_is_what_all_else_is_made_with(setup):
    arms, drawn = seeds.arms(setup), curves.every(setup)
    for name, curve, group in (
        ("none", "classic", 0),
        ("classic", "classic", setup.classic),
        ("gan", "dcgan", setup.synthetic),
    ):
        (folds,) = drawn[curve][group]
        assert [task.digest for task in arms[name][0]] == [task.digest for task in folds]


def test_other_seeds_share_the_folds_and_no_network(setup):
    for name, arm in seeds.arms(setup).items():
        first, second = arm
        for one, other in zip(first, second, strict=True):
            assert replace(one.config, seed=0) == replace(other.config, seed=0)
            assert one.config.seed != other.config.seed
            generators = one.inputs.keys() - {"cohort"}
            assert len(generators) == (3 if name == "gan" else 0)
            for role in generators:
                assert one.inputs[role].config.seed != other.inputs[role].config.seed
                assert one.inputs[role].config.split == other.inputs[role].config.split


def test_arms_are_paired_by_seed(setup, store, monkeypatch):
    # Lesions right by seed: 20, 21 with none, 23, 24 with classic, 23, 26 with synthetic.
    right = {"none": (20, 21), "classic": (23, 24), "gan": (23, 26)}
    named = {name: [(name, seed) for seed in (0, 1)] for name in right}
    monkeypatch.setattr(seeds, "arms", lambda _study: named)

    def predicted(_store, arm, truth):
        wrong = np.arange(27) >= np.array([[right[name][seed]] for name, seed in arm])
        return (truth.classes + wrong) % 3

    monkeypatch.setattr(seeds.predictions, "predicted", predicted)
    found = seeds.results(store, setup)
    assert found["arms"]["none"]["mean"] == pytest.approx(20.5 / 27)
    gains = found["pairs"]["gan - classic"]
    assert gains["each"] == pytest.approx([0, 2 / 27])
    assert gains["sd"] == pytest.approx(2**0.5 / 27)
    assert gains["difference"].value == pytest.approx(1 / 27)
    same = found["pairs"]["classic - none"]
    assert (same["sd"], same["seeds_needed"]) == (pytest.approx(0), [None, None])


def test_one_seed_says_nothing(setup, store):
    protocol = setup.protocol
    once = replace(protocol, grid=replace(protocol.grid, seeds=1))
    setup = replace(setup, repeats=(once,))
    assert not [*seeds.tasks(setup)]
    assert seeds.results(store, setup) is None
