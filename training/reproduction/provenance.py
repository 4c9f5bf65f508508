"""What a run was: everything that was set, on what, and the cells behind each part of it."""

import os
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

import lesion
from lesion.classes import CLASSES
from training.networks.devices import pick
from training.pipeline.artifacts import Store
from training.pipeline.origin import NOT_RECORDED, Made
from training.pipeline.tasks import Arrays, Cell, walk
from training.reproduction.predictions import Truth
from training.reproduction.presets import Experiment
from training.reproduction.tasks.cohort import Imported

_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "scikit-image", "statsmodels")


@dataclass(frozen=True, slots=True)
class Noting(Store):
    """A store that notes what is read from it."""

    seen: set[Cell] = field(default_factory=set)

    def load(self, cell: Cell) -> Arrays:
        """Read a result, and note it."""
        self.seen.add(cell)
        return Store.load(self, cell)


def describe(experiment: Experiment, cohort: Cell, truth: Truth, *, seed: int) -> dict[str, Any]:
    """Return what was set, and on what; `truth` is of the cohort."""
    return {
        "preset": experiment.name,
        "seed": seed,
        "resolved": asdict(experiment),
        "cohort": {
            **_cohort(cohort),
            "lesions": {
                name: int((truth.classes == label).sum()) for label, name in enumerate(CLASSES)
            },
            "patients": len(np.unique(truth.patients)),
        },
        "versions": {
            "hepatica": lesion.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "machine": _machine(),
        "date": datetime.now(UTC).date().isoformat(),
    }


def behind(parts: Mapping[str, Noting]) -> dict[str, Any]:
    """Return the cells that each part was read from, digest to label, and how they were made.

    `seconds` of one processor, by work, and `made_on`, how many were made on each `device` and by
    each version of `torch`, count what those needed in turn, each once. A cell that was made
    elsewhere and not brought along counts for nothing.
    """
    made = _made(parts.values())
    return {
        "cells": {
            name: {cell.digest: cell.label for cell in _in_order(store.seen)}
            for name, store in parts.items()
        },
        "seconds": _seconds(made),
        "made_on": {
            "device": _counts(one.device for one in made.values()),
            "torch": _counts(one.torch for one in made.values()),
        },
    }


def _made(stores: Iterable[Noting]) -> dict[Cell, Made]:
    """Return how each cell was made, and what it needs in turn."""
    counted: set[Cell] = set()
    made = {}
    for store in stores:
        for cell in walk(_in_order(store.seen), done=counted.__contains__):
            counted.add(cell)
            if store.has(cell):
                made[cell] = store.made(cell)
    return made


def _seconds(made: Mapping[Cell, Made]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for cell, one in made.items():
        seconds[cell.work.name] = round(seconds.get(cell.work.name, 0.0) + one.seconds, 3)
    return seconds


def _counts(names: Iterable[str | None]) -> dict[str, int]:
    """Count the cells of each name, the most first."""
    return dict(Counter(name or NOT_RECORDED for name in names).most_common())


def _in_order(cells: Iterable[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: (cell.label, cell.digest))


def _cohort(cohort: Cell) -> dict[str, Any]:
    if isinstance(cohort.config, Imported):
        known = cohort.config
        return {
            "name": known.name, "simulated": known.simulated, "fingerprint": known.fingerprint,
        }  # fmt: skip
    return {"name": cohort.label, "simulated": True, "digest": cohort.digest}


def _machine() -> str:
    device = pick()
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, {os.cpu_count()} processors"
    return f"{os.cpu_count()} processors, {platform.machine()}"
