"""A tiny phantom cohort, drawn once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from training.phantom.classes import LesionClass
from training.phantom.cohort import draw_cohort
from training.phantom.folder import write_cohort
from training.phantom.patient import PhantomPatient


@pytest.fixture(scope="session")
def seed() -> int:
    return 7


@pytest.fixture(scope="session")
def counts() -> Mapping[LesionClass, int]:
    return {LesionClass.CYST: 2, LesionClass.METASTASIS: 2, LesionClass.HEMANGIOMA: 2}


@pytest.fixture(scope="session")
def patients(seed: int, counts: Mapping[LesionClass, int]) -> tuple[PhantomPatient, ...]:
    return tuple(draw_cohort(seed, counts))


@pytest.fixture(scope="session")
def folder(
    seed: int, counts: Mapping[LesionClass, int], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The same cohort, on disk."""
    out = tmp_path_factory.mktemp("phantom") / "cohort"
    write_cohort(out, seed, counts)
    return out
