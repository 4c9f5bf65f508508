"""A small cohort of drawn discs, and one smoke run on it, shared by the tests of training."""

from pathlib import Path

import numpy as np
import pytest

from lesion.ct import CTSlice
from lesion.outline import from_box
from training.data import patches
from training.data.patches import Patches
from training.data.records import Cohort, CohortLesion
from training.phantom.classes import CLASS_LIST, LesionClass
from training.pipeline import cross_validation
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.origin import Origin
from training.pipeline.tasks import Task
from training.presets import SMOKE_BUNDLE
from training.reproduction.tasks.cohort import IMPORTED, Imported

from .workshop import Workshop

EACH = 8  # lesions of each class


def draw_lesion(index: int, lesion_class: LesionClass) -> CohortLesion:
    """A noisy disc whose depth and edge tell its class; every patient has two lesions."""
    rng = np.random.default_rng([index, len(lesion_class)])
    rows, cols = np.mgrid[:96, :96] - 48.0
    depth, softness = {"cyst": (95, 0.5), "metastasis": (45, 3.0), "hemangioma": (30, 1.0)}[
        lesion_class
    ]
    disc = depth / (1 + np.exp((np.hypot(rows, cols) - 12) / softness))
    hu = (110 - disc + rng.normal(0, 8, disc.shape)).astype(np.float32)
    return CohortLesion(
        lesion_id=f"{lesion_class}-{index}",
        patient_id=f"{lesion_class}-{index // 2}",
        lesion_class=lesion_class,
        ct=CTSlice(hu, (0.8, 0.8)),
        outline=from_box(36, 36, 60, 60, shape=hu.shape),
        diameter_mm=19.2,
        provenance="biopsy",
    )


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    folder = tmp_path / "began"
    folder.mkdir()
    return Workshop(folder)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts")


@pytest.fixture(scope="session")
def cohort() -> Cohort:
    lesions = tuple(draw_lesion(i, c) for c in LesionClass for i in range(EACH))
    return Cohort(
        name="discs", simulated=True, fingerprint="0" * 64, classes=CLASS_LIST, lesions=lesions
    )


@pytest.fixture(scope="session")
def cut(cohort: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Patches:
    folder = tmp_path_factory.mktemp("patches")
    patches.cut_cohort(cohort, folder, augmentation=SMOKE_BUNDLE.augmentation, seed=7)
    return patches.load(folder)


@pytest.fixture(scope="session")
def smoke_run(cut: Patches, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the smoke preset."""
    folder = tmp_path_factory.mktemp("run")
    cross_validation.run(cut, SMOKE_BUNDLE, seed=7, folder=folder, resume=False)
    return folder


@pytest.fixture
def discs(cut: Patches, store: ArtifactStore) -> Task:
    """The cohort of discs, in the store; in more patients, of whom some have two lesions."""
    alone = np.arange(len(cut.classes)) % 4 > 1
    config = Imported(
        "discs", "0" * 64, simulated=True, augmentation=SMOKE_BUNDLE.augmentation, seed=7
    )
    task = Task(IMPORTED, config, label="discs")
    arrays = {
        "originals": cut.originals,
        "variants": cut.variants,
        "classes": cut.classes,
        "diameter_mm": cut.diameter_mm,
        "lesion_ids": np.array(cut.lesion_ids),
        "patient_ids": np.where(alone, cut.lesion_ids, cut.patient_ids),
    }
    store.save(task, arrays, Origin(seconds=0.0))
    return task
