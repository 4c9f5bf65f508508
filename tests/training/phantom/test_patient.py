from collections.abc import Mapping

import numpy as np
import pytest

from lesion.outline import DIAMETER_RANGE_MM, from_mask
from lesion.roi import cut
from training.phantom.classes import LesionClass
from training.phantom.cohort import GENERATOR, lesions, plan_cohort
from training.phantom.patient import PhantomPatient, Plan, draw_patient


def test_the_cohort_has_the_lesions_asked_for(
    patients: tuple[PhantomPatient, ...], counts: Mapping[LesionClass, int]
) -> None:
    found = [lesion.lesion_class for patient in patients for lesion in lesions(patient)]
    assert {kind: found.count(kind) for kind in LesionClass} == counts


def test_a_slice_is_what_a_scanner_stores(patients: tuple[PhantomPatient, ...]) -> None:
    for patient in patients:
        for image in patient.slices:
            hu = image.ct.hu
            assert hu.shape == (512, 512)
            assert hu.dtype == np.float32
            np.testing.assert_array_equal(hu, np.rint(hu))
            assert hu.min() >= -1024
            assert hu.max() <= 3071
            assert hu[0, 0] < -900  # air in the corner
            assert 50 < np.median(hu[image.liver]) < 150


def test_a_lesion_is_marked_where_it_lies(patients: tuple[PhantomPatient, ...]) -> None:
    smallest, largest = DIAMETER_RANGE_MM
    for patient in patients:
        for image in patient.slices:
            assert image.lesions
            for marked in image.lesions:
                lesion = marked.lesion
                assert lesion.ct is image.ct
                assert smallest <= lesion.diameter_mm <= largest
                (region,) = from_mask(marked.mask, shape=image.ct.hu.shape)
                assert (region.x0, region.y1) == (lesion.outline.x0, lesion.outline.y1)
                assert (marked.mask & image.liver).sum() > 0.5 * marked.mask.sum()


def test_lesions_of_one_slice_do_not_overlap() -> None:
    kinds = (LesionClass.CYST, LesionClass.METASTASIS, LesionClass.HEMANGIOMA)
    several = [draw_patient(3, Plan(index, kinds)) for index in range(2)]
    shared = [image for patient in several for image in patient.slices if len(image.lesions) > 1]
    assert shared
    for image in shared:
        assert np.sum([marked.mask for marked in image.lesions], axis=0).max() == 1
    assert all(len(lesions(patient)) == 3 for patient in several)


def test_the_generator_draws_what_it_drew() -> None:
    """Where it fails on purpose, count `GENERATOR` up: cohorts of that name are other pictures."""
    patient = draw_patient(1, plan_cohort(1)[0])
    (lesion,) = lesions(patient)
    assert GENERATOR == 1
    assert (lesion.lesion_class, lesion.diameter_mm) == (LesionClass.METASTASIS, 33.1)
    assert lesion.ct.spacing_mm == (0.814, 0.814)
    assert lesion.ct.hu.mean() == pytest.approx(-487.431, abs=0.01)


def test_lesions_of_every_class_are_what_they_were() -> None:
    """By the means of their patches: they were read off before other lesions could be placed."""
    drawn = [one for plan in plan_cohort(1)[1:4] for one in lesions(draw_patient(1, plan))]
    found = {
        f"{one.lesion_id} {one.lesion_class}": float(
            cut(one.ct.hu, one.ct.spacing_mm or (1.0, 1.0), one.outline).mean()
        )
        for one in drawn
    }
    assert found == pytest.approx(
        {
            "P002-L1 hemangioma": 62.83,
            "P002-L2 hemangioma": 79.95,
            "P003-L1 cyst": 47.98,
            "P004-L1 metastasis": 46.27,
        },
        abs=0.02,
    )
