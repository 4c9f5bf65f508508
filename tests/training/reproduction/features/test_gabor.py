import numpy as np
import pytest
from scipy.signal import convolve2d
from skimage.filters import gabor_kernel

from training.data.datasets import to_unit
from training.reproduction.features import gabor


def draw(n, *, seed=0):
    return np.random.default_rng(seed).normal(60, 25, (n, 64, 64)).astype(np.float32)


def wave(frequency, degrees):
    rows, cols = np.mgrid[:64, :64]
    turn = np.deg2rad(degrees)
    phase = 2 * np.pi * frequency * (cols * np.cos(turn) + rows * np.sin(turn))
    return (50 + 40 * np.cos(phase))[None].astype(np.float32)


def named(patch):
    return dict(zip(gabor.NAMES, gabor.describe(patch)[0], strict=True))


@pytest.mark.parametrize("frequency", gabor.FREQUENCIES)
@pytest.mark.parametrize("degrees", [0, 60, 120])
def test_the_filter_of_a_wave_answers_it_most(frequency, degrees):
    magnitude = gabor.magnitudes(wave(frequency, degrees), gabor.bank())
    # Far from the mirrored edge, over whole waves of the beat between the wave's two frequencies.
    middle = magnitude[0, :, 22:42, 22:42].mean(axis=(1, 2)).reshape(4, 6)
    own = gabor.FREQUENCIES.index(frequency), degrees * gabor.ORIENTATIONS // 180
    assert np.unravel_index(middle.argmax(), middle.shape) == own
    # A filter of unit gain answers a real wave of amplitude 0.1 (of the window's 400 HU) by half.
    assert middle[own] == pytest.approx(0.05, rel=0.1)


def test_columns_are_named_in_their_order():
    found = named(wave(0.1, 60))
    means = {name: value for name, value in found.items() if name.startswith("mean")}
    assert max(means, key=means.get) == "mean, 0.1 cycles a pixel, 60 degrees"


@pytest.mark.parametrize(("frequency", "turn"), [(0.05, 1), (0.2, 4)])
def test_agrees_with_direct_convolution(frequency, turn):
    patch = draw(1)
    unit = to_unit(patch[0])
    padded = np.pad(unit - unit.mean(), 32, mode="symmetric")
    kernel = gabor_kernel(frequency, theta=turn * np.pi / 6, bandwidth=1, n_stds=2.5)
    magnitude = np.abs(convolve2d(padded, kernel, mode="same"))[32:-32, 32:-32]
    found = named(patch)
    where = f"{frequency} cycles a pixel, {30 * turn} degrees"
    share = magnitude / magnitude.sum()
    expected = {
        "mean": magnitude.mean(),
        "standard deviation": magnitude.std(),
        "energy": (magnitude**2).mean(),
        "entropy": -(share * np.log(share)).sum(),
    }
    assert {key: found[f"{key}, {where}"] for key in expected} == pytest.approx(expected, rel=1e-4)


def test_a_patchs_level_does_not_matter_and_a_flat_patch_answers_nowhere():
    patch = draw(1)
    np.testing.assert_allclose(gabor.describe(patch), gabor.describe(patch + 7), rtol=1e-3)
    flat = named(np.full((1, 64, 64), 40, dtype=np.float32))
    assert flat["mean, 0.1 cycles a pixel, 0 degrees"] == 0
    assert flat["entropy, 0.1 cycles a pixel, 0 degrees"] == pytest.approx(np.log(64 * 64))


def test_each_row_depends_on_its_own_patch_alone():
    patches = draw(67)  # more than a batch
    together = gabor.describe(patches)
    assert together.shape == (67, len(gabor.NAMES))
    np.testing.assert_allclose(together[65:66], gabor.describe(patches[65:66]), rtol=1e-5)
    assert gabor.describe(patches[:0]).shape == (0, len(gabor.NAMES))
