"""Where results are kept: a folder per task, named by its digest, with an `.npy` file per array.

A folder appears whole or not at all, so an interrupted run loses only what it was computing. Arrays
are read through memory maps: a cohort's patches are 700 MB, and every process shares them.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lesion import durable
from training.pipeline.origin import Origin
from training.pipeline.tasks import Arrays, Task

#: The file that says what a result is.
CARD = "artifact.json"
_ARRAY_NAME = re.compile(r"\w[\w.-]*")


@dataclass(frozen=True, slots=True)
class ArtifactStore:
    """The results under `folder`."""

    folder: Path

    def path(self, task: Task) -> Path:
        """Where the task's result is, or would be."""
        return self.folder / task.digest[:2] / task.digest[2:]

    def has(self, task: Task) -> bool:
        """Tell whether the task's result is there."""
        return (self.path(task) / CARD).is_file()

    def save(self, task: Task, arrays: Arrays, origin: Origin) -> None:
        """Keep a result, and beside it what it is and how it was made.

        Raise `ValueError` for an array whose name cannot name a file, or which holds objects.
        """
        for name in arrays:
            if not _ARRAY_NAME.fullmatch(name):
                raise ValueError(f"found an array named {name!r}, expected letters, digits, _, -")
        card = {
            **task.identity(),
            "label": task.label,
            **origin._replace(seconds=round(origin.seconds, 3))._asdict(),
        }
        with self._appearing(self.path(task)) as part:
            for name, array in arrays.items():
                with durable.opened(part / f"{name}.npy") as file:
                    np.save(file, array, allow_pickle=False)
            durable.write(part / CARD, (json.dumps(card, indent=1) + "\n").encode())

    def load(self, task: Task) -> Arrays:
        """Read a result, by name in order; raise `FileNotFoundError` where it is not there."""
        if not self.has(task):
            raise FileNotFoundError(f"{task.name}: no result yet")
        return {
            path.name.removesuffix(".npy"): np.load(path, mmap_mode="r", allow_pickle=False)
            for path in sorted(self.path(task).glob("*.npy"))
        }

    def seconds(self, task: Task) -> float:
        """Return how long the task took."""
        return self.origin(task).seconds

    def origin(self, task: Task) -> Origin:
        """Return how the task was made; older cards do not tell on what."""
        card = json.loads((self.path(task) / CARD).read_text(encoding="utf-8"))
        return Origin(**{name: card[name] for name in Origin._fields if name in card})

    def clean(self) -> None:
        """Remove what processes that were killed left half-written; none may be writing now."""
        for part in self.folder.glob("??/*.part"):
            shutil.rmtree(part)

    @contextmanager
    def _appearing(self, whole: Path) -> Iterator[Path]:
        """Give a folder to fill, which becomes the result where the block ends well."""
        part = whole.with_name(f"{whole.name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        try:
            yield part
            part.rename(whole)
        except OSError:
            if not (whole / CARD).is_file():  # else another process was faster: the same result
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
        durable.sync(whole.parent)
