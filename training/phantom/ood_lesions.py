"""Near neighbours of the three classes: what a classifier may meet and was never trained on.

They serve to measure out-of-distribution scores and abstention, and no network is ever trained on
them. Each lies on a slice of its own, of a patient and a scan like the cohort's; all of them are
simulated.

- `hcc`, `fnh`, `abscess`: other lesions in the portal phase (`mimics`);
- `normal`: liver where the box of a lesion could be;
- `unenhanced`, `arterial`: the three classes in another phase of contrast (`phases`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from lesion.ct import CTSlice
from lesion.outline import Outline
from training.phantom import anatomy, canvas, ood_bodies, phases, scanner
from training.phantom.anatomy import Anatomy
from training.phantom.canvas import Canvas
from training.phantom.classes import CLASSES, LesionClass
from training.phantom.cohort import PAPER_COUNTS
from training.phantom.geometry import Field, Points, coverage, length
from training.phantom.lesions import Body, Host, draw_body
from training.phantom.placing import MEDIAN_MM, STRETCH, Placed, find_place
from training.phantom.scanner import Scan
from training.seeds import generator

Kind = Literal["hcc", "fnh", "abscess", "normal", "unenhanced", "arterial"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Counts up whenever the same arguments no longer give the same pictures (as the cohort's own).
GENERATOR = 1


@dataclass(frozen=True, slots=True)
class OodLesion:
    """One of them: its slice and its outline there.

    `lesion_class` is what a lesion of another phase is; None for what is none of the classes.
    """

    kind: Kind
    lesion_class: LesionClass | None
    ct: CTSlice
    outline: Outline


def draw(seed: int, kind: Kind, index: int) -> OodLesion:
    """Draw a neighbour: a pure function of its arguments, whatever else is drawn."""
    rng = generator(seed, "phantom", "neighbour", kind, index)
    portal = anatomy.draw(rng)
    scan = scanner.draw_scan(rng, body_mm=portal.body_mm)
    match kind:
        case "hcc" | "fnh" | "abscess":
            patient, form = portal, _mimic(rng, kind, portal)
        case "normal":
            patient, form = portal, _Form(lambda _: _ball, median_mm=24.0, stretch=0.13)
        case "unenhanced" | "arterial":
            patient = phases.at_phase(rng, kind, portal)
            form = _recast(rng, kind, portal=portal, now=patient)
    blank, placed = _find_slice(rng, patient, scan, form)
    if kind != "normal":
        canvas.add(blank, placed)
    return OodLesion(kind, form.lesion_class, canvas.expose(rng, blank), placed.outline)


@dataclass(frozen=True, slots=True)
class _Form:
    """What is to be placed: see `placing.find_place`."""

    draw: Callable[[float], Body]
    median_mm: float
    stretch: float
    lesion_class: LesionClass | None = None


def _mimic(rng: np.random.Generator, kind: ood_bodies.Mimic, patient: Anatomy) -> _Form:
    hu = patient.liver_hu, patient.vessel_hu
    return _Form(
        lambda radius_mm: ood_bodies.draw_mimic(rng, kind, Host(*hu, radius_mm)),
        median_mm=ood_bodies.MEDIAN_MM[kind],
        stretch=ood_bodies.STRETCH[kind],
    )


def _recast(
    rng: np.random.Generator, phase: phases.Phase, *, portal: Anatomy, now: Anatomy
) -> _Form:
    """Draw a class in the paper's proportions, and its lesions in another phase."""
    share = np.array([PAPER_COUNTS[kind] for kind in CLASSES], dtype=np.float64)
    lesion_class = CLASSES[int(rng.choice(len(CLASSES), p=share / share.sum()))]
    hu = portal.liver_hu, portal.vessel_hu

    def drawn(radius_mm: float) -> Body:
        body = draw_body(rng, lesion_class, Host(*hu, radius_mm))
        return phases.recast(body, lesion_class, phase=phase, portal=portal, now=now)

    return _Form(drawn, MEDIAN_MM[lesion_class], STRETCH[lesion_class], lesion_class)


def _ball(points: Points, pixel: float) -> tuple[Field, Field]:
    """Cover a ball, of which only the outline is used."""
    cover = coverage(length(points) - 1, pixel)
    return cover, np.zeros_like(cover)


def _find_slice(
    rng: np.random.Generator, patient: Anatomy, scan: Scan, form: _Form
) -> tuple[Canvas, Placed]:
    """Paint slices until one has room."""
    while True:
        blank = canvas.paint(rng, patient, scan)
        placed = find_place(
            rng, form.draw, blank.room, median_mm=form.median_mm, stretch=form.stretch
        )
        if placed is not None:
            return blank, placed
