"""The three classes, without scanner: is each what section 2.1 of the paper says it is?"""

import numpy as np
import pytest

from training.phantom.classes import LesionClass
from training.phantom.lesions import Host, draw_body

LIVER, VESSEL = 110.0, 155.0


def bodies(
    lesion_class: LesionClass, *, radius_mm: float = 15.0, count: int = 60
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Coverage and HU of the middle slice of many bodies, on a fine grid of 2.6 radii."""
    axis = np.linspace(-1.3, 1.3, 81, dtype=np.float32)
    points = np.stack([*np.meshgrid(axis, axis), np.zeros((81, 81), dtype=np.float32)])
    host = Host(LIVER, VESSEL, radius_mm)
    return [
        draw_body(np.random.default_rng(seed), lesion_class, host)(points, 0.03)
        for seed in range(count)
    ]


@pytest.mark.parametrize("lesion_class", LesionClass)
def test_a_body_fills_its_radius(lesion_class: LesionClass) -> None:
    for cover, hu in bodies(lesion_class):
        assert cover.dtype == hu.dtype == np.float32
        assert cover.min() >= 0
        assert cover.max() == 1
        assert np.isfinite(hu).all()
        radius = np.sqrt((cover > 0.5).mean() * 2.6**2 / np.pi)
        assert 0.6 < radius < 1.2


def test_cysts_are_water_sharp_and_even() -> None:
    inside = [hu[cover > 0.99] for cover, hu in bodies(LesionClass.CYST)]
    assert max(np.ptp(hu) for hu in inside) == 0
    water = np.array([hu.mean() for hu in inside])
    assert (water <= 20).mean() > 0.85
    assert water.max() < 45
    ramp = [((cover > 0.05) & (cover < 0.95)).mean() for cover, _ in bodies(LesionClass.CYST)]
    ill = [((cover > 0.05) & (cover < 0.95)).mean() for cover, _ in bodies(LesionClass.METASTASIS)]
    assert np.median(ill) > 3 * np.median(ramp)


def test_metastases_are_darker_than_liver_brighter_than_water_and_uneven() -> None:
    found = bodies(LesionClass.METASTASIS)
    depth = np.array([LIVER - np.median(hu[cover > 0.9]) for cover, hu in found])
    assert 20 < np.median(depth) < 60
    assert (depth > 10).mean() > 0.95
    assert np.median([hu[cover > 0.9].std() for cover, hu in found]) > 3


def test_hemangiomas_have_bright_gaps_in_their_rim_and_dark_middles() -> None:
    found = bodies(LesionClass.HEMANGIOMA)
    axis = np.linspace(-1.3, 1.3, 81)
    radius = np.hypot(*np.meshgrid(axis, axis))
    bright = [(hu > LIVER + 10) & (cover > 0.5) for cover, hu in found]
    rim = np.array([mark[(radius > 0.6) & (radius < 0.95)].mean() for mark in bright])
    middle = np.array([mark[radius < 0.4].mean() for mark in bright])
    assert 0.6 < (rim > 0.02).mean() < 0.95  # some show none on this slice
    assert rim.max() < 0.9  # discontinuous
    assert rim.mean() > 2 * middle.mean()
    assert max(hu.max() for _, hu in found) < 1.3 * VESSEL


def test_only_small_hemangiomas_fill_at_once() -> None:
    def filled(radius_mm: float) -> float:
        found = bodies(LesionClass.HEMANGIOMA, radius_mm=radius_mm)
        return float(np.mean([np.median(hu[cover > 0.9]) > LIVER for cover, hu in found]))

    assert 0.15 < filled(7.0) < 0.6
    assert filled(20.0) < 0.1
