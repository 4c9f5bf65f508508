import numpy as np
import pytest

from training.evaluation.image_quality import diversity


def total_variance(images):
    """Half the mean squared distance of pairs."""
    return np.mean([np.sum((a - b) ** 2) for a in images for b in images]) / 2


def test_a_draw_has_the_variance_of_the_images_that_it_holds():
    rng = np.random.default_rng(1)
    images, groups = rng.normal(3, 2, (20, 5)), rng.permutation(np.arange(20) % 6)
    times = np.vstack([np.ones(6, dtype=int), rng.multinomial(6, np.full(6, 1 / 6), size=10)])
    found = diversity.drawn_variances(images, groups, times)
    assert found[0] == pytest.approx(np.trace(np.cov(images, rowvar=False, bias=True)))
    for variance, each in zip(found, times, strict=True):
        drawn = np.repeat(images, each[groups], axis=0)
        assert variance == pytest.approx(total_variance(drawn))
