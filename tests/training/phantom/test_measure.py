import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from scripts.phantom_page import measure

RNG = np.random.default_rng(3)
WHITE = RNG.normal(0, 10, (512, 512)).astype(np.float32)
WHOLE = np.ones(WHITE.shape, dtype=bool)


def test_white_noise_has_its_deviation_and_no_memory() -> None:
    found = measure.noise([(WHITE, WHOLE)], erosion_px=3)
    assert found["sd_hu"] == pytest.approx(10, abs=0.2)
    np.testing.assert_allclose(found["lags"], 0, atol=0.02)


def test_noise_smeared_along_rows_is_told_from_columns() -> None:
    smeared = uniform_filter1d(WHITE, 3, axis=1)
    along = measure.noise([(smeared, WHOLE)], erosion_px=3)["lags"]
    down = measure.noise([(smeared, WHOLE)], erosion_px=3, upright=True)["lags"]
    np.testing.assert_allclose(along[:2], [2 / 3, 1 / 3], atol=0.09)  # less the high-pass
    np.testing.assert_allclose(down, 0, atol=0.09)


def test_what_lies_outside_the_mask_does_not_count() -> None:
    mask = np.zeros(WHITE.shape, dtype=bool)
    mask[100:300, 100:300] = True
    loud = np.where(mask, WHITE, 5 * WHITE).astype(np.float32)
    assert measure.noise([(loud, mask)], erosion_px=16)["sd_hu"] == pytest.approx(10, abs=0.3)


def test_spread_is_to_a_tenth() -> None:
    assert measure.spread([1.0, 2.0, 3.04]) == {
        "mean": 2.0, "sd": 0.8, "p5": 1.1, "p50": 2.0, "p95": 2.9, "n": 3,
    }  # fmt: skip


def test_rings_are_told_apart() -> None:
    axis = (np.arange(64) - 31.5) / (64 / 2.88)  # the ROI rule leaves 0.44 radii around a lesion
    radius = np.hypot(*np.meshgrid(axis, axis))
    patch = np.select([radius < 0.7, radius < 1.05], [60.0, 130.0], 110.0).astype(np.float32)
    assert measure.rings(patch) == (-50, 20)
