"""What a cohort is once it is in memory, wherever it came from."""

from dataclasses import dataclass
from typing import Literal, get_args

from lesion.ct import CTSlice
from lesion.outline import Outline
from training.phantom.classes import LesionClass

#: How the radiologist's diagnosis was established (paper 2.1).
Provenance = Literal["biopsy", "follow-up"]
PROVENANCES: tuple[Provenance, ...] = get_args(Provenance)


@dataclass(frozen=True, slots=True)
class CohortLesion:
    """One lesion of a cohort: its slice, its outline there, and what is known of it.

    Lesions of one slice share one `CTSlice` object.
    """

    lesion_id: str
    patient_id: str
    lesion_class: LesionClass
    ct: CTSlice
    outline: Outline
    diameter_mm: float
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Cohort:
    """Lesions to train on. `fingerprint` is a sha256 over everything that was read."""

    name: str
    simulated: bool
    fingerprint: str
    lesions: tuple[CohortLesion, ...]
