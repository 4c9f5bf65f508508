import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.phantom_page import measure
from training.phantom import scanner


def draw_scan(seed: int) -> scanner.Scan:
    return scanner.draw_scan(np.random.default_rng(seed), body_mm=(165.0, 118.0))


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32), width=st.floats(138, 205))
def test_a_scan_is_within_the_papers_protocol(seed: int, width: float) -> None:
    rng = np.random.default_rng(seed)
    scan = scanner.draw_scan(rng, body_mm=(width, 0.72 * width))
    assert 140 <= scan.mas <= 400
    assert 1.25 <= scan.thickness_mm <= 5.0
    assert 0.6 <= scan.pixel_mm <= 0.98
    assert scan.pixel_mm * 512 >= min(2 * width, 0.98 * 512)
    assert 1.05 <= scan.blur_fwhm_mm <= 1.7
    assert 3 < scan.noise_hu < 45


def test_both_makes_are_drawn() -> None:
    assert {draw_scan(seed).make.name for seed in range(20)} == {"GE-like", "Siemens-like"}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_has_its_deviation_and_runs_sideways(seed: int) -> None:
    scan = draw_scan(seed)
    field = scanner.noise(np.random.default_rng(seed), scan)
    assert field.dtype == np.float32
    assert field.std() == pytest.approx(scan.noise_hu, rel=1e-3)
    whole = np.ones(field.shape, dtype=bool)
    along = measure.noise([(field, whole)], erosion_px=8)["lags"]
    down = measure.noise([(field, whole)], erosion_px=8, upright=True)["lags"]
    assert along[0] > down[0] + 0.05
    assert along[1] > down[1]


def test_noise_falls_with_dose_and_thickness() -> None:
    scan = draw_scan(0)
    quiet = scanner._noise_hu(400, 5.0, scan.cutoff_per_mm, 0.0)
    assert scanner._noise_hu(200, 5.0, scan.cutoff_per_mm, 0.0) == pytest.approx(quiet * 2**0.5)
    assert scanner._noise_hu(400, 1.25, scan.cutoff_per_mm, 0.0) > 1.5 * quiet


def test_a_slab_is_as_thick_as_the_slice() -> None:
    heights = scanner.slab_mm(5.0)
    np.testing.assert_allclose(heights, [-2, -1, 0, 1, 2])


def test_blur_keeps_the_mean_and_widens_a_point() -> None:
    scan = draw_scan(1)
    image = np.zeros((512, 512), dtype=np.float32)
    image[256, 256] = 1000
    blurred = scanner.blur(image, scan)
    assert blurred.sum() == pytest.approx(1000, rel=1e-3)
    wide = (blurred[256] > blurred.max() / 2).sum() * scan.pixel_mm
    assert wide == pytest.approx(scan.blur_fwhm_mm, abs=scan.pixel_mm)
