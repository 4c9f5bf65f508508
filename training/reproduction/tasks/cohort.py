"""Patches of a cohort: of a phantom, drawn and cut in memory, or of a folder that was imported.

The phantom is infinite: new cases for the paper's green curve, thousands of fresh lesions to test
on, and whole further cohorts are all drawn here. A drawn lesion's patches are, bit for bit, those
that its DICOM files give.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lesion.errors import CohortError, RunError
from training.data import patches
from training.data.augment import Augmentation
from training.data.patches import Patches
from training.data.records import CohortLesion
from training.phantom.classes import CLASS_LIST, CLASSES, LesionClass
from training.phantom.cohort import GENERATOR, lesions, plan_cohort
from training.phantom.patient import draw_patient
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.origin import origin_here
from training.pipeline.tasks import Arrays, Task, TaskKind

#: Nothing but the lesions' own patches: of lesions to test on.
ORIGINALS_ONLY = Augmentation(rotations=0)


@dataclass(frozen=True, slots=True)
class Phantom:
    """A phantom cohort, or the patients `first` to `last` - 1 of it."""

    seed: int
    counts: tuple[int, ...]
    augmentation: Augmentation = ORIGINALS_ONLY
    first: int = 0
    last: int | None = None
    generator: int = GENERATOR


@dataclass(frozen=True, slots=True)
class Imported:
    """A cohort that was read from a folder; its fingerprint names it, wherever the folder is."""

    name: str
    fingerprint: str
    simulated: bool
    augmentation: Augmentation
    seed: int


def phantom(config: Phantom, label: str) -> Task:
    """Name a phantom's patches."""
    return Task(PHANTOM, config, label=label)


def mixed(count: int) -> tuple[int, ...]:
    """Deal `count` lesions out to the classes in the paper's proportions (2.1): 53, 64, 65."""
    share = np.array([53, 64, 65]) / 182
    dealt = np.floor(share * count).astype(int)
    dealt[np.argsort(dealt - share * count)[: count - dealt.sum()]] += 1
    return tuple(int(n) for n in dealt)


def import_folder(
    folder: Path,
    store: ArtifactStore,
    *,
    augmentation: Augmentation,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> Task:
    """Read and cut a cohort's folder into the store, if it is not there; return its task.

    Raise `CohortError` where its classes are not the paper's.
    """
    from training.data import cohort  # noqa: PLC0415 - only where there is a folder to read

    found = cohort.read(folder)
    if {one.name for one in found.classes} != set(CLASSES):
        raise CohortError(
            f"classes: found {', '.join(one.name for one in found.classes)}, expected the paper's: "
            f"{', '.join(CLASSES)}"
        )
    config = Imported(found.name, found.fingerprint, found.simulated, augmentation, seed)
    task = Task(IMPORTED, config, label=found.name)
    if not store.has(task):
        arrays = _cut(found.lesions, augmentation, seed, advance)
        store.save(task, arrays, origin_here(0.0, gpu=False))
    return task


def from_arrays(arrays: Mapping[str, np.ndarray]) -> Patches:
    """Put a task's arrays into the form that the rest of training takes."""
    return Patches(
        cohort={},
        class_list=CLASS_LIST,
        lesion_ids=tuple(str(name) for name in arrays["lesion_ids"]),
        patient_ids=tuple(str(name) for name in arrays["patient_ids"]),
        classes=np.asarray(arrays["classes"]),
        diameter_mm=np.asarray(arrays["diameter_mm"]),
        originals=np.asarray(arrays["originals"]),
        variants=arrays["variants"],
    )


def _draw(config: Phantom, _inputs: Mapping[str, Arrays]) -> Arrays:
    if config.generator != GENERATOR:
        raise RunError(f"found phantom {GENERATOR} here, expected {config.generator}")
    plans = plan_cohort(config.seed, dict(zip(LesionClass, config.counts, strict=True)))
    drawn = [
        found
        for plan in plans[config.first : config.last]
        for found in lesions(draw_patient(config.seed, plan))
    ]
    return _cut(drawn, config.augmentation, config.seed)


def _cut(
    found: list[CohortLesion] | tuple[CohortLesion, ...],
    augmentation: Augmentation,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> Arrays:
    originals, variants = [], []
    for one in found:
        own, varied = patches.cut_lesion(one, augmentation=augmentation, seed=seed)
        originals.append(own)
        variants.append(varied)
        advance()
    return {
        "originals": np.stack(originals),
        "variants": np.stack(variants),
        "classes": np.array([CLASSES.index(LesionClass(one.lesion_class)) for one in found]),
        "diameter_mm": np.array([one.diameter_mm for one in found]),
        "lesion_ids": np.array([one.lesion_id for one in found]),
        "patient_ids": np.array([one.patient_id for one in found]),
    }


def _is_elsewhere(config: Imported, _inputs: Mapping[str, Arrays]) -> Arrays:
    raise RunError(f"{config.name}: its patches are not in this store; name its folder")


PHANTOM = TaskKind("phantom", _draw)
IMPORTED = TaskKind("cohort", _is_elsewhere)
