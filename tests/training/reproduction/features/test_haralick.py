import mahotas
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.data.datasets import HU_WINDOW
from training.reproduction.features import haralick

NATS = np.log(2)  # mahotas counts entropy in bits
ENTROPIES = [haralick.FEATURES.index(f) for f in ("sum entropy", "entropy", "difference entropy")]


def draw(n, *, seed=0):
    """Noise, smoothed along the rows: the angles differ."""
    noise = np.random.default_rng(seed).normal(90, 60, (n, 64, 64)).cumsum(axis=2)
    return (noise / np.sqrt(1 + np.arange(64))).astype(np.float32)


def in_nats(features):
    """Mahotas's features, with entropies and what depends on them in nats."""
    features = features.copy()
    features[:, ENTROPIES] *= NATS
    bits = -np.log(1 - features[:, 12] ** 2) / 2
    features[:, 12] = np.sqrt(1 - np.exp(-2 * bits * NATS))
    return features


@pytest.mark.parametrize("distance", haralick.DISTANCES)
def test_agrees_with_mahotas(distance):
    for levels in haralick.quantise(draw(4)):
        theirs = mahotas.features.haralick(levels, distance=distance, use_x_minus_y_variance=True)
        ours = haralick.features(haralick.cooccurrence(levels, distance))
        np.testing.assert_allclose(ours, in_nats(theirs), rtol=1e-9, atol=1e-9)


@given(levels=arrays(np.uint8, (9, 7), elements=st.integers(0, haralick.LEVELS - 1)))
def test_agrees_with_mahotas_on_any_image(levels):
    theirs = mahotas.features.haralick(levels, use_x_minus_y_variance=True)
    # One minus its exponential cancels where two levels nearly determine each other.
    ours = haralick.features(haralick.cooccurrence(levels, 1))
    np.testing.assert_allclose(ours[:, :12], in_nats(theirs)[:, :12], rtol=1e-7, atol=1e-7)


def test_describes_mean_and_range_over_angles():
    patch = draw(1, seed=3)
    found = dict(zip(haralick.NAMES, haralick.describe(patch)[0], strict=True))
    of_angle = haralick.features(haralick.cooccurrence(haralick.quantise(patch)[0], 2))
    contrast = of_angle[:, 1]
    assert found["contrast, distance 2, mean of angles"] == pytest.approx(contrast.mean())
    assert found["contrast, distance 2, range of angles"] == pytest.approx(np.ptp(contrast))


def test_grey_levels_are_equal_steps_of_the_fixed_window():
    low, high = HU_WINDOW
    step = (high - low) / haralick.LEVELS
    hu = low + step * (np.arange(64 * 64) % haralick.LEVELS + 0.5).reshape(1, 64, 64)
    expected = np.arange(64 * 64).reshape(1, 64, 64) % haralick.LEVELS
    np.testing.assert_array_equal(haralick.quantise(hu.astype(np.float32)), expected)
    outside = np.where(expected % 2, -1000, 1000).astype(np.float32)
    assert set(haralick.quantise(outside).ravel()) == {0, haralick.LEVELS - 1}


def test_a_flat_patch_has_finite_features():
    flat = np.full((1, 64, 64), 40, dtype=np.float32)
    found = dict(zip(haralick.NAMES, haralick.describe(flat)[0], strict=True))
    assert np.isfinite(list(found.values())).all()
    assert found["correlation, distance 1, mean of angles"] == 1
    assert found["angular second moment, distance 1, mean of angles"] == 1


def test_a_quarter_turn_changes_nothing_over_the_angles():
    patch = draw(1, seed=5)
    turned = np.rot90(patch, axes=(1, 2)).copy()
    np.testing.assert_allclose(haralick.describe(patch), haralick.describe(turned), atol=1e-12)


def test_each_row_depends_on_its_own_patch_alone():
    patches = draw(5, seed=6)
    together = haralick.describe(patches)
    np.testing.assert_array_equal(together[3:4], haralick.describe(patches[3:4]))
    assert haralick.describe(patches[:0]).shape == (0, len(haralick.NAMES))
