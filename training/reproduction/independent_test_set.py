"""Fresh lesions, which nothing is trained on: what they are, and the parts they are drawn in."""

from functools import cache

import numpy as np

from training.phantom.classes import LesionClass
from training.phantom.cohort import plan_cohort
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Arrays, Task
from training.presets import GridPreset
from training.reproduction.tasks.classifier import JUDGED
from training.reproduction.tasks.cohort import Phantom, mixed, phantom
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt

_PATIENTS_A_PART = 100


def lesions(grid: GridPreset) -> tuple[Task, ...]:
    """Name the lesions that all are judged by, drawn in parts."""
    return parts(grid.cohorts.fresh_seed, grid.cohorts.test)


def judged_roles(grid: GridPreset) -> dict[str, Task]:
    """Name them by the roles under which a classifier is given them to judge."""
    return {f"{JUDGED}fresh-{index}": task for index, task in enumerate(lesions(grid))}


def outputs(answers: Arrays, grid: GridPreset, name: str, *, of: str = "") -> np.ndarray:
    """Return what a classifier said of them: `logits`, `features` ...; `of` is `_views` or none."""
    parts = range(len(lesions(grid)))
    return np.concatenate([answers[f"{name}_fresh-{index}{of}"] for index in parts])


def classes(grid: GridPreset) -> tuple[Task, ...]:
    """Name the fresh lesions' classes and patients, which stay when the patches go."""
    return tuple(
        Task(
            EXCERPT,
            Excerpt(("classes", "patient_ids")),
            {"fresh": task},
            label=f"classes of {task.label}",
        )
        for task in lesions(grid)
    )


def truth(store: ArtifactStore, grid: GridPreset) -> dict[str, np.ndarray]:
    """Return the fresh lesions' `classes` and `patient_ids`, in the order of the parts."""
    tables = [store.load(task) for task in classes(grid)]
    return {name: np.concatenate([t[name] for t in tables]) for name in ("classes", "patient_ids")}


@cache  # planning ten thousand lesions takes a while, and hundreds of tasks name them
def parts(seed: int, count: int) -> tuple[Task, ...]:
    """Name fresh lesions in the paper's mix, in parts that several processes can draw."""
    counts = mixed(count)
    plans = len(plan_cohort(seed, dict(zip(LesionClass, counts, strict=True))))
    return tuple(
        phantom(
            Phantom(seed, counts, first=first, last=min(first + _PATIENTS_A_PART, plans)),
            f"fresh lesions {first // _PATIENTS_A_PART + 1}",
        )
        for first in range(0, plans, _PATIENTS_A_PART)
    )
