"""One patient: a scan, and one or several slices through one to three lesions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from lesion.classes import LesionClass
from lesion.ct import CTSlice
from lesion.outline import Outline
from training.phantom import anatomy, scanner
from training.phantom.anatomy import Anatomy
from training.phantom.geometry import slice_grid
from training.phantom.placing import Placed, Room, place
from training.phantom.scanner import Scan
from training.records import CohortLesion, Provenance
from training.seeds import generator

#: "Biopsy or a clinical follow-up" (paper 2.1): cysts and hemangiomas are rarely punctured.
_BIOPSIED = {LesionClass.CYST: 0.04, LesionClass.METASTASIS: 0.6, LesionClass.HEMANGIOMA: 0.05}

#: Heights of the slices: from below the hilum to the confluence of the hepatic veins.
_HEIGHTS_MM = (-30.0, 35.0)


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
    """A slice, its height in mm towards the head, how far it is liver, and the lesions marked on it."""

    ct: CTSlice
    z_mm: float
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
    shared = rng.random() < 0.5
    groups = [list(plan.classes)] if shared else [[one] for one in plan.classes]
    heights = rng.uniform(*_HEIGHTS_MM, size=len(groups))
    slices: list[PhantomSlice] = []
    while groups:
        z = heights[len(slices)] if len(slices) < len(heights) else rng.uniform(*_HEIGHTS_MM)
        first = sum(len(s.lesions) for s in slices)
        group = groups.pop(0)
        drawn = _draw_slice(rng, plan, body, scan, z=float(z), classes=group, first=first)
        slices.append(drawn)
        if left := group[len(drawn.lesions) :]:  # no room for all of them on this slice
            groups.insert(0, left)
    return PhantomPatient(plan.patient_id, scan, body, tuple(slices))


def _draw_slice(
    rng: np.random.Generator,
    plan: Plan,
    body: Anatomy,
    scan: Scan,
    *,
    z: float,
    classes: list[LesionClass],
    first: int,
) -> PhantomSlice:
    grid = slice_grid(scan.pixel_mm)
    painted = anatomy.paint(body, grid, z, scanner.slab_mm(scan.thickness_mm))
    image = painted.hu + painted.liver * np.float32(body.texture_hu) * scanner.texture(
        rng, scan, corner_per_mm=0.09
    )
    room = Room(grid, painted, scan, np.zeros(image.shape, dtype=bool))
    placed: list[tuple[LesionClass, Placed]] = []
    for lesion_class in classes:
        one = place(rng, lesion_class, room, hu=(body.liver_hu, body.vessel_hu))
        if one is None:
            break
        image[one.window] += one.cover * (one.hu - image[one.window])
        room.taken[one.window] |= one.cover > 0.01
        placed.append((lesion_class, one))
    hu = np.rint(scanner.blur(image, scan) + scanner.noise(rng, scan))
    ct = CTSlice(np.clip(hu, -1024, 3071), (scan.pixel_mm, scan.pixel_mm))
    lesions = tuple(
        PhantomLesion(_record(rng, plan, ct, lesion_class, one.outline, first + k), one.mask)
        for k, (lesion_class, one) in enumerate(placed)
    )
    return PhantomSlice(ct, z, painted.liver > 0.5, lesions)


def _record(
    rng: np.random.Generator,
    plan: Plan,
    ct: CTSlice,
    lesion_class: LesionClass,
    edge: Outline,
    number: int,
) -> CohortLesion:
    provenance: Provenance = "biopsy" if rng.random() < _BIOPSIED[lesion_class] else "follow-up"
    return CohortLesion(
        lesion_id=f"{plan.patient_id}-L{number + 1}",
        patient_id=plan.patient_id,
        lesion_class=lesion_class,
        ct=ct,
        outline=edge,
        diameter_mm=round(edge.diameter_mm((ct.spacing_mm or (1.0, 1.0))), 1),
        provenance=provenance,
    )
