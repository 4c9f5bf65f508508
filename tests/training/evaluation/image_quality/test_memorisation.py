import numpy as np
import pytest

from training.evaluation.image_quality import memorisation


def draw(n, *, seed):
    return np.random.default_rng(seed).normal(size=(n, 8))


def measure(synthetic, training):
    return memorisation.measure(
        memorisation.distances(synthetic, training),
        memorisation.distances(draw(300, seed=1), training),
        seed=0,
    )


def test_new_images_are_no_copies():
    found = measure(draw(200, seed=2), draw(100, seed=0))
    assert found.copies.value < 0.05
    assert found.ratio.low < 1 < found.ratio.high
    assert found.nearer.low < 0.5 < found.nearer.high


def test_a_quarter_of_copies_is_found():
    training = draw(100, seed=0)
    copies = training[:50] + np.random.default_rng(3).normal(0, 0.01, (50, 8))
    found = measure(np.concatenate([copies, draw(150, seed=2)]), training)
    assert found.copies.low < 0.25 < found.copies.high
    assert found.copies.value == pytest.approx(0.25, abs=0.04)
    assert found.nearer.low > 0.5


def test_copies_alone_are_all_found():
    training = draw(100, seed=0)
    found = measure(training, training)
    assert found.copies == (1, 1, 1)
    assert found.ratio.value == pytest.approx(0, abs=1e-6)
    assert found.nearer.value == 1


def test_counts_by_definition():
    held_out = np.arange(1.0, 102.0)  # its first percentile is 2
    synthetic = np.array([1.0, 1.5, 2.0, 50.0, 60.0])
    found = memorisation.measure(synthetic, held_out, seed=0)
    assert found.copies.value == 2 / 5
    assert found.ratio.value == 2 / 51
    beaten = [np.sum(held_out > s) + np.sum(held_out == s) / 2 for s in synthetic]
    assert found.nearer.value == pytest.approx(np.sum(beaten) / (5 * 101))


def test_the_ratios_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covers = []
    for seed in range(60):
        near, far = rng.exponential(0.8, 80), rng.exponential(1.0, 120)
        ratio = memorisation.measure(near, far, seed=seed).ratio
        covers.append(ratio.low < 0.8 < ratio.high)
    assert np.mean(covers) >= 0.85  # 57 of 60 expected; fewer than 51 has a chance below .004
