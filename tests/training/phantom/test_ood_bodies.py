"""The lesions of other kinds, without scanner: is each what its docstring's sources say it is?"""

from functools import cache
from typing import get_args

import numpy as np
import pytest

from training.phantom.lesions import Host
from training.phantom.ood_bodies import Mimic, draw_mimic

LIVER, VESSEL = 110.0, 155.0
AXIS = np.linspace(-1.4, 1.4, 85, dtype=np.float32)
RADIUS = np.hypot(*np.meshgrid(AXIS, AXIS))


@cache
def bodies(kind: Mimic, count: int = 60) -> list[tuple[np.ndarray, np.ndarray]]:
    """Coverage and HU of the middle slice of many bodies of 30 mm."""
    points = np.stack([*np.meshgrid(AXIS, AXIS), np.zeros((85, 85), dtype=np.float32)])
    host = Host(LIVER, VESSEL, 15.0)
    return [
        draw_mimic(np.random.default_rng(seed), kind, host)(points, 0.03) for seed in range(count)
    ]


def medians(kind: Mimic, low: float, high: float) -> np.ndarray:
    """Of each body, the median between two radii, in HU above the liver it is blended into."""
    ring = (low <= RADIUS) & (high > RADIUS)
    return np.array([np.median((cover * (hu - LIVER))[ring]) for cover, hu in bodies(kind)])


def brightest(kind: Mimic) -> np.ndarray:
    """Of each body, how far above liver the brightest tenth of its rim lies."""
    ring = (RADIUS > 0.75) & (RADIUS < 1)
    return np.array([np.percentile((cover * (hu - LIVER))[ring], 90) for cover, hu in bodies(kind)])


@pytest.mark.parametrize("kind", get_args(Mimic))
def test_a_body_fills_its_radius(kind: Mimic) -> None:
    for cover, hu in bodies(kind):
        assert cover.dtype == hu.dtype == np.float32
        assert cover.min() >= 0
        assert cover.max() == 1
        assert np.isfinite(hu).all()
        radius = np.sqrt((cover > 0.5).mean() * 2.8**2 / np.pi)
        assert 0.85 < radius < 1.15


def test_a_carcinoma_is_washed_out_in_a_bright_capsule() -> None:
    inside = medians("hcc", 0, 0.7)
    assert -24 < np.median(inside) < -10
    assert 0.6 < (inside < -5).mean() < 0.95
    capsule = brightest("hcc")
    assert 0.65 < (capsule > 8).mean() < 0.95
    assert (capsule - inside > 10).mean() > 0.75


def test_a_carcinoma_is_a_mosaic() -> None:
    inner = RADIUS < 0.7
    spread = [np.std(hu[inner]) for _, hu in bodies("hcc")]
    even = [np.std(hu[inner]) for _, hu in bodies("fnh") if hu[inner].min() > LIVER - 15]
    assert np.median(spread) > 3 * np.median(even)


def test_a_nodular_hyperplasia_is_as_dense_as_liver_round_a_dark_scar() -> None:
    around = medians("fnh", 0.6, 0.95)
    assert (around > -10).all()
    assert 0 < np.median(around) < 15
    assert around.max() < 32
    scar = medians("fnh", 0, 0.12)
    assert 0.7 < (scar < -15).mean() < 0.98  # some have none
    isodense = around < 8
    assert (scar[isodense] < -15).all()  # which nobody could outline without


def test_an_abscess_is_fluid_in_a_bright_wall() -> None:
    gas = np.array([hu[cover > 0.95].min() < -300 for cover, hu in bodies("abscess")])
    assert 0.02 < gas.mean() < 0.3
    pus = np.array([np.percentile(hu[cover > 0.95], 5) for cover, hu in bodies("abscess")])
    assert 15 < np.median(pus[~gas]) < 35
    assert (pus[~gas] < 50).mean() > 0.9
    assert (brightest("abscess") > 12).mean() > 0.95


def test_oedema_darkens_the_liver_and_stays_out_of_the_outline() -> None:
    halos = []
    for cover, hu in bodies("abscess"):
        faint = (cover > 0.02) & (cover < 0.35) & (RADIUS > 1.05)
        beyond = cover[RADIUS > 1.38]
        assert beyond.max() < 0.31
        halos.append(faint.sum() > 100 and np.median((cover * (hu - LIVER))[faint]) < -3)
    assert 0.25 < np.mean(halos) < 0.75
