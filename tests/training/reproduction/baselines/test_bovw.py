from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from training.presets import PAPER_GRID, SMOKE_GRID
from training.reproduction.baselines import bovw
from training.settings import BovwSettings


def draw(n, *, seed=0):
    return np.random.default_rng(seed).normal(60, 30, (n, 64, 64)).astype(np.float32)


def test_the_defaults_are_the_papers():
    preset = PAPER_GRID.baseline.bovw
    assert (preset.patch, preset.components, preset.words) == (11, 10, 750)
    assert preset.single_words == int(0.35 * 750) == 262
    assert preset.multi_words == -int(-0.03 * 750 // 1) == 23


def test_mutual_information_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 80)
    counts = rng.poisson(0.5 + classes[:, None] * np.linspace(0, 2, 12), (80, 12)).astype(float)
    counts[:, 5] = 4  # a word of every lesion tells nothing
    often = counts > np.median(counts, axis=0)
    expected = [mutual_info_score(classes, column) for column in often.T]
    found = bovw.mutual_information(counts, classes)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert found[5] == pytest.approx(0, abs=1e-12)
    assert found[-1] > 0.2


def test_a_histogram_counts_the_nearest_words():
    preset = replace(SMOKE_GRID.baseline.bovw, words=9, stride=11)
    words = bovw.learn(draw(6), preset, seed=0)
    hu = draw(1, seed=1)
    pca, kmeans = words.steps[0][1], words.steps[1][1]
    unit = np.clip((hu[0] + 150) / 400, 0, 1)
    found = np.zeros(9)
    for row in range(0, 54, 11):
        for col in range(0, 54, 11):
            small = unit[row : row + 11, col : col + 11].ravel()
            place = pca.components_ @ (small - pca.mean_)
            found[np.argmin(((kmeans.cluster_centers_ - place) ** 2).sum(axis=1))] += 1
    np.testing.assert_allclose(bovw.histograms(hu, words, preset)[0], np.sqrt(found / 25))


def test_the_dictionary_is_learned_from_the_sample_that_the_seed_names():
    preset = BovwSettings(words=5, stride=8, sampled=50)
    first, again, other = (
        bovw.learn(draw(4), preset, seed=s)[-1].cluster_centers_ for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
