import numpy as np
import pytest

from training.phantom import anatomy, phases
from training.phantom.classes import LesionClass
from training.phantom.lesions import Host, draw_body
from training.phantom.phases import Phase

AXIS = np.linspace(-1.3, 1.3, 61, dtype=np.float32)
POINTS = np.stack([*np.meshgrid(AXIS, AXIS), np.zeros((61, 61), dtype=np.float32)])
PATIENTS = [anatomy.draw(np.random.default_rng(seed)) for seed in range(9)]
LEAN = [patient for patient in PATIENTS if patient.liver_hu > 81]


def now(phase: Phase, portal: anatomy.Anatomy) -> anatomy.Anatomy:
    return phases.at_phase(np.random.default_rng(5), phase, portal)


def lesions(
    lesion_class: LesionClass, phase: Phase
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Coverage, HU in the portal phase and HU in the other, of bodies, and the liver's HU."""
    found = []
    for seed, portal in enumerate(LEAN):
        later = now(phase, portal)
        host = Host(portal.liver_hu, portal.vessel_hu, 15.0)
        body = draw_body(np.random.default_rng(seed), lesion_class, host)
        other = phases.recast(body, lesion_class, phase=phase, portal=portal, now=later)
        cover, hu = body(POINTS, 0.04)
        same, changed = other(POINTS, 0.04)
        np.testing.assert_array_equal(same, cover)
        assert changed.dtype == np.float32
        found.append((cover > 0.95, hu, changed, later.liver_hu))
    return found


def test_enhancement_is_what_was_measured() -> None:
    """Against Goshima et al., AJR 2006;187:W25, and unenhanced livers of 50 to 70 HU."""
    for portal in LEAN:
        plain, arterial = now("unenhanced", portal), now("arterial", portal)
        assert 40 < plain.liver_hu < 80
        assert 35 <= plain.vessel_hu == plain.aorta_hu <= 55
        assert plain.spleen_hu < plain.liver_hu + 12
        assert 15 <= arterial.liver_hu - plain.liver_hu <= 25
        assert 75 <= arterial.vessel_hu - plain.vessel_hu <= 104
        assert 270 <= arterial.aorta_hu - plain.aorta_hu <= 336
        assert plain.liver_hu < arterial.liver_hu < portal.liver_hu
        assert arterial.body_mm == portal.body_mm


def test_the_hepatic_veins_are_not_filled_yet() -> None:
    for portal in PATIENTS:
        filled = {row.tobytes() for row in now("arterial", portal).tree}
        everything = {row.tobytes() for row in portal.tree}
        assert filled < everything
        a, b = portal.body_mm
        cava = np.array([-0.13 * a, 0.22 * b, 40.0], dtype=np.float32)
        starts = np.array([np.allclose(row[:3], cava) for row in portal.tree])
        assert starts.sum() == 3
        assert not any(row.tobytes() in filled for row in portal.tree[starts])
        assert portal.tree[0].tobytes() in filled


@pytest.mark.parametrize("phase", ["unenhanced", "arterial"])
def test_a_cyst_does_not_enhance(phase: Phase) -> None:
    for _, hu, changed, _ in lesions(LesionClass.CYST, phase):
        np.testing.assert_array_equal(changed, hu)


@pytest.mark.parametrize("phase", ["unenhanced", "arterial"])
def test_a_metastasis_stays_below_its_liver(phase: Phase) -> None:
    found = lesions(LesionClass.METASTASIS, phase)
    below = [liver - np.median(changed[inside]) for inside, _, changed, liver in found]
    assert np.median(below) > 8
    assert min(below) > 0


def test_a_hemangioma_is_blood_before_enhancement() -> None:
    for inside, hu, changed, _ in lesions(LesionClass.HEMANGIOMA, "unenhanced"):
        assert changed[inside].max() <= 55
        assert np.ptp(changed[inside]) <= max(0.6 * np.ptp(hu[inside]), 1)


def test_a_hemangiomas_nodules_outshine_the_portal_phase_in_the_arterial_one() -> None:
    nodular = [
        (hu[inside].max() - hu[inside].min(), np.ptp(changed[inside]), changed[inside].max())
        for inside, hu, changed, _ in lesions(LesionClass.HEMANGIOMA, "arterial")
        if np.ptp(hu[inside]) > 50
    ]
    assert len(nodular) > 3
    assert all(arterial > portal for portal, arterial, _ in nodular)
    assert all(120 < brightest < 250 for *_, brightest in nodular)  # and below the aorta
