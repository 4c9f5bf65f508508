import numpy as np
import pytest

from training.quality import diversity


def test_variance_is_half_the_mean_squared_distance_of_pairs():
    images = np.random.default_rng(0).normal(3, 2, (20, 5))
    pairs = [np.sum((a - b) ** 2) for a in images for b in images]
    assert diversity.total_variance(images) == pytest.approx(np.mean(pairs) / 2)
    trace = np.trace(np.cov(images, rowvar=False, bias=True))
    assert diversity.total_variance(images) == pytest.approx(trace)


def test_a_draw_has_the_variance_of_the_images_that_it_holds():
    rng = np.random.default_rng(1)
    images, groups = rng.normal(3, 2, (20, 5)), rng.permutation(np.arange(20) % 6)
    times = np.vstack([np.ones(6, dtype=int), rng.multinomial(6, np.full(6, 1 / 6), size=10)])
    found = diversity.drawn_variances(images, groups, times)
    assert found[0] == pytest.approx(diversity.total_variance(images))
    for variance, each in zip(found, times, strict=True):
        drawn = np.repeat(images, each[groups], axis=0)
        assert variance == pytest.approx(diversity.total_variance(drawn))
