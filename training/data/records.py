"""What a cohort is once it is in memory, wherever it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from lesion.classes import LesionClass
from lesion.ct import CTSlice
from lesion.outline import Outline

#: How the radiologist's diagnosis was established (paper 2.1).
Provenance = Literal["biopsy", "follow-up"]
PROVENANCES: tuple[Provenance, ...] = get_args(Provenance)


@dataclass(frozen=True, slots=True)
class CohortLesion:
    """One lesion of a cohort: its slice, its outline there, and what is known of it.

    Lesions of one slice share one `CTSlice` object. `lesion_class` is the name of one of the
    cohort's classes; `strata` holds the columns that the cohort's card declares, such as the phase.
    """

    lesion_id: str
    patient_id: str
    lesion_class: str
    ct: CTSlice
    outline: Outline
    diameter_mm: float
    provenance: Provenance
    strata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cohort:
    """Lesions to train on, and the classes that they are of, in the order of a network's outputs.

    `fingerprint` is a sha256 over everything that was read.
    """

    name: str
    simulated: bool
    fingerprint: str
    classes: tuple[LesionClass, ...]
    lesions: tuple[CohortLesion, ...]
