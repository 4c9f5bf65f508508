"""A phantom cohort: which patients there are; each is then drawn on its own, in any order.

The paper's cohort (2.1) has 53 cysts, 64 metastases and 65 hemangiomas. How many patients they come
from is not told; here some have several lesions, so that folding by patient matters.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from training.data.records import CohortLesion
from training.phantom.classes import LesionClass
from training.phantom.patient import PhantomPatient, Plan, draw_patient
from training.seeds import generator

#: Counts up whenever the same seed no longer gives the same pictures.
GENERATOR = 1

#: The paper's cohort (2.1).
PAPER_COUNTS: Mapping[LesionClass, int] = {
    LesionClass.CYST: 53,
    LesionClass.METASTASIS: 64,
    LesionClass.HEMANGIOMA: 65,
}

#: How many patients have one, two, three lesions: 182 lesions in about 130 patients.
_LESIONS_A_PATIENT = (0.70, 0.20, 0.10)
#: A patient's further lesions are mostly of the same kind.
_SAME_CLASS = 0.85


def plan_cohort(seed: int, counts: Mapping[LesionClass, int] = PAPER_COUNTS) -> tuple[Plan, ...]:
    """Deal exactly so many lesions of each class out to patients; draws no picture."""
    rng = generator(seed, "phantom", "plan")
    left = Counter({kind: count for kind, count in counts.items() if count})
    plans: list[Plan] = []
    while left.total():
        wanted = int(rng.choice(3, p=_LESIONS_A_PATIENT)) + 1
        first = _take(rng, left)
        classes = [first]
        while len(classes) < wanted and left.total():
            same = left[first] > 0 and rng.random() < _SAME_CLASS
            classes.append(_take(rng, left, only=first if same else None))
        plans.append(Plan(len(plans), tuple(classes)))
    return tuple(plans)


def _take(
    rng: np.random.Generator, left: Counter[LesionClass], only: LesionClass | None = None
) -> LesionClass:
    """Take one of the lesions that are left, each as likely as any other."""
    kinds = [kind for kind in LesionClass if left[kind]]
    weight = np.array([left[kind] for kind in kinds], dtype=np.float64)
    kind = only or kinds[int(rng.choice(len(kinds), p=weight / weight.sum()))]
    left[kind] -= 1
    return kind


def draw_cohort(
    seed: int, counts: Mapping[LesionClass, int] = PAPER_COUNTS
) -> Iterator[PhantomPatient]:
    """Draw the patients of a cohort one by one, in memory.

    For a part of it, or several at once: `draw_patient(seed, plan)` for any of `plan_cohort`.
    """
    for plan in plan_cohort(seed, counts):
        yield draw_patient(seed, plan)


def lesions(patient: PhantomPatient) -> tuple[CohortLesion, ...]:
    """Return a patient's lesions as a cohort's reader would."""
    return tuple(marked.lesion for image in patient.slices for marked in image.lesions)
