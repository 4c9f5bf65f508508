import numpy as np
import pytest

from training.quality import diversity, manifold


def test_variance_is_half_the_mean_squared_distance_of_pairs():
    images = np.random.default_rng(0).normal(3, 2, (20, 5))
    pairs = [np.sum((a - b) ** 2) for a in images for b in images]
    assert diversity.total_variance(images) == pytest.approx(np.mean(pairs) / 2)
    trace = np.trace(np.cov(images, rowvar=False, bias=True))
    assert diversity.total_variance(images) == pytest.approx(trace)


def test_copies_of_a_few_cases_cover_less_than_as_many_new_ones():
    rng = np.random.default_rng(0)
    held_out = rng.normal(size=(80, 3))
    new = rng.normal(size=(260, 3))
    cases = np.repeat(rng.normal(size=(13, 3)), 20, axis=0) + rng.normal(0, 0.05, (260, 3))
    few, many = (diversity.measure(images, held_out) for images in (cases, new))
    assert few.coverage < 0.6 < many.coverage
    assert many.coverage == pytest.approx(manifold.expected_coverage(80, 260), abs=0.05)
    assert many.variance == pytest.approx(3, rel=0.15)
