import subprocess
import sys
from collections.abc import Mapping

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from training.phantom.classes import LesionClass
from training.phantom.cohort import PAPER_COUNTS, lesions, plan_cohort
from training.phantom.patient import PhantomPatient, Plan, draw_patient


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32), counts=st.tuples(*[st.integers(0, 30)] * 3))
def test_every_lesion_is_dealt_out_once(seed: int, counts: tuple[int, int, int]) -> None:
    wanted = dict(zip(LesionClass, counts, strict=True))
    plans = plan_cohort(seed, wanted)
    dealt = [kind for plan in plans for kind in plan.classes]
    assert {kind: dealt.count(kind) for kind in LesionClass} == wanted
    assert all(1 <= len(plan.classes) <= 3 for plan in plans)
    assert len({plan.patient_id for plan in plans}) == len(plans)


def test_the_papers_cohort_has_about_130_patients() -> None:
    assert sum(PAPER_COUNTS.values()) == 182
    sizes = [len(plan_cohort(seed)) for seed in range(20)]
    assert 125 <= np.mean(sizes) <= 138


def test_a_patient_is_the_same_whatever_else_is_drawn(
    patients: tuple[PhantomPatient, ...], seed: int, counts: Mapping[LesionClass, int]
) -> None:
    alone = draw_patient(seed, plan_cohort(seed, counts)[-1])
    for one, other in zip(alone.slices, patients[-1].slices, strict=True):
        np.testing.assert_array_equal(one.ct.hu, other.ct.hu)
    assert [one.lesion_id for one in lesions(alone)] == [
        one.lesion_id for one in lesions(patients[-1])
    ]


def test_another_seed_is_another_patient(seed: int, patients: tuple[PhantomPatient, ...]) -> None:
    other = draw_patient(seed + 1, Plan(0, (LesionClass.CYST,)))
    assert not np.array_equal(other.slices[0].ct.hu, patients[0].slices[0].ct.hu)


def test_drawing_needs_neither_dicom_nor_torch() -> None:
    code = (
        "import sys, training.phantom.cohort, training.phantom.cli;"
        "print([m for m in ('pydicom', 'highdicom', 'torch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
