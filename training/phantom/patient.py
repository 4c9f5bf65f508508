"""One patient: a scan, and one or several slices through one to three lesions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from lesion.ct import CTSlice
from training.data.records import CohortLesion, Provenance
from training.phantom import anatomy, canvas, scanner
from training.phantom.anatomy import Anatomy
from training.phantom.classes import LesionClass
from training.phantom.placing import Placed, place
from training.phantom.scanner import Scan
from training.seeds import generator

#: "Biopsy or a clinical follow-up" (paper 2.1): cysts and hemangiomas are rarely punctured.
_BIOPSIED = {LesionClass.CYST: 0.04, LesionClass.METASTASIS: 0.6, LesionClass.HEMANGIOMA: 0.05}


@dataclass(frozen=True, slots=True)
class Plan:
    """Which lesions a patient has. `index` names the patient within its cohort."""

    index: int
    classes: tuple[LesionClass, ...]

    @property
    def patient_id(self) -> str:
        """P001, P002 ..."""
        return f"P{self.index + 1:03d}"


@dataclass(frozen=True, slots=True)
class PhantomLesion:
    """A lesion on its slice: what the radiologist marked, and what the lesion is."""

    lesion: CohortLesion
    mask: Bool[np.ndarray, "512 512"]


@dataclass(frozen=True, slots=True)
class PhantomSlice:
    """A slice, where it is liver, and the lesions marked on it."""

    ct: CTSlice
    liver: Bool[np.ndarray, "512 512"]
    lesions: tuple[PhantomLesion, ...]


@dataclass(frozen=True, slots=True)
class PhantomPatient:
    """A patient's scan and slices."""

    patient_id: str
    scan: Scan
    anatomy: Anatomy
    slices: tuple[PhantomSlice, ...]


def draw_patient(seed: int, plan: Plan) -> PhantomPatient:
    """Draw a patient: a pure function of the cohort's seed and the plan, whatever else is drawn."""
    rng = generator(seed, "phantom", plan.index)
    body = anatomy.draw(rng)
    scan = scanner.draw_scan(rng, body_mm=body.body_mm)
    # Half of the patients with several lesions have them on one slice.
    waiting = [list(plan.classes)] if rng.random() < 0.5 else [[kind] for kind in plan.classes]
    slices: list[PhantomSlice] = []
    drawn = 0
    while waiting:
        kinds = waiting.pop(0)
        image, liver, placed = _draw_slice(rng, body, scan, kinds)
        marked = tuple(
            PhantomLesion(_record(rng, plan.patient_id, drawn + k, image, kind, one), one.mask)
            for k, (kind, one) in enumerate(zip(kinds, placed, strict=False))
        )
        slices.append(PhantomSlice(image, liver, marked))
        drawn += len(placed)
        if len(placed) < len(kinds):  # no room for all of them on this slice
            waiting.insert(0, kinds[len(placed) :])
    return PhantomPatient(plan.patient_id, scan, body, tuple(slices))


def _draw_slice(
    rng: np.random.Generator, body: Anatomy, scan: Scan, kinds: list[LesionClass]
) -> tuple[CTSlice, Bool[np.ndarray, "512 512"], list[Placed]]:
    """Draw a slice with as many of these lesions as it has room for: at least one."""
    empty = canvas.paint(rng, body, scan)
    placed: list[Placed] = []
    for kind in kinds:
        one = place(rng, kind, empty.room, hu=(body.liver_hu, body.vessel_hu))
        if one is None:
            break
        canvas.add(empty, one)
        placed.append(one)
    return canvas.expose(rng, empty), empty.room.painted.liver > 0.5, placed


def _record(
    rng: np.random.Generator,
    patient_id: str,
    number: int,
    ct: CTSlice,
    kind: LesionClass,
    placed: Placed,
) -> CohortLesion:
    provenance: Provenance = "biopsy" if rng.random() < _BIOPSIED[kind] else "follow-up"
    return CohortLesion(
        lesion_id=f"{patient_id}-L{number + 1}",
        patient_id=patient_id,
        lesion_class=kind,
        ct=ct,
        outline=placed.outline,
        diameter_mm=round(placed.outline.diameter_mm(ct.spacing_mm or (1.0, 1.0)), 1),
        provenance=provenance,
    )
