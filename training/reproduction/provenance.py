"""What a run was: everything that was set, on what, and the tasks behind each part of it."""

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
from training.networks.devices import select_device
from training.networks.generators import kind_of
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.origin import NOT_RECORDED, Origin
from training.pipeline.tasks import Arrays, Task, topological_order
from training.presets import GridPreset
from training.reproduction.predictions import Labels
from training.reproduction.tasks.cohort import Imported

_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "scikit-image", "statsmodels")


@dataclass(frozen=True, slots=True)
class TrackingStore(ArtifactStore):
    """A store that notes what is read from it."""

    seen: set[Task] = field(default_factory=set)

    def load(self, task: Task) -> Arrays:
        """Read a result, and note it."""
        self.seen.add(task)
        return ArtifactStore.load(self, task)


def describe(grid: GridPreset, cohort: Task, truth: Labels, *, seed: int) -> dict[str, Any]:
    """Return what was set, and on what; `truth` is of the cohort."""
    return {
        "preset": grid.name,
        "seed": seed,
        "resolved": asdict(grid),
        "generators": {gan.kind: kind_of(gan).title for gan in grid.gans},
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


def behind(parts: Mapping[str, TrackingStore]) -> dict[str, Any]:
    """Return the tasks that each part was read from, digest to label, and how they were made.

    `seconds` of one processor, by work, and `made_on`, how many were made on each `device` and by
    each version of `torch`, and in which `precision` networks were trained, count what those needed
    in turn, each once. A task that was made
    elsewhere and not brought along counts for nothing.
    """
    origin = _made(parts.values())
    return {
        "tasks": {
            name: {task.digest: task.label for task in _in_order(store.seen)}
            for name, store in parts.items()
        },
        "seconds": _seconds(origin),
        "made_on": {
            "device": _counts(one.device for one in origin.values()),
            "torch": _counts(one.torch for one in origin.values()),
            "precision": _counts(one.precision for one in origin.values() if one.precision),
        },
    }


def _made(stores: Iterable[TrackingStore]) -> dict[Task, Origin]:
    """Return how each task was made, and what it needs in turn."""
    counted: set[Task] = set()
    origin = {}
    for store in stores:
        for task in topological_order(_in_order(store.seen), done=counted.__contains__):
            counted.add(task)
            if store.has(task):
                origin[task] = store.origin(task)
    return origin


def _seconds(origin: Mapping[Task, Origin]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for task, one in origin.items():
        seconds[task.kind.name] = round(seconds.get(task.kind.name, 0.0) + one.seconds, 3)
    return seconds


def _counts(names: Iterable[str | None]) -> dict[str, int]:
    """Count the tasks of each name, the most first."""
    return dict(Counter(name or NOT_RECORDED for name in names).most_common())


def _in_order(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: (task.label, task.digest))


def _cohort(cohort: Task) -> dict[str, Any]:
    if isinstance(cohort.config, Imported):
        known = cohort.config
        return {
            "name": known.name, "simulated": known.simulated, "fingerprint": known.fingerprint,
        }  # fmt: skip
    return {"name": cohort.label, "simulated": True, "digest": cohort.digest}


def _machine() -> str:
    device = select_device()
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, {os.cpu_count()} processors"
    return f"{os.cpu_count()} processors, {platform.machine()}"
