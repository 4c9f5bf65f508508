"""Where results are kept: a folder per cell, named by its digest, with an `.npy` file per array.

A folder appears whole or not at all, so an interrupted run loses only what it was computing. Arrays
are read through memory maps: a cohort's patches are 700 MB, and every process shares them.
"""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.experiment.cell import Arrays, Cell

_CARD = "cell.json"


@dataclass(frozen=True, slots=True)
class Store:
    """The results under `folder`."""

    folder: Path

    def path(self, cell: Cell) -> Path:
        """Where the cell's result is, or would be."""
        return self.folder / cell.digest[:2] / cell.digest[2:]

    def has(self, cell: Cell) -> bool:
        """Tell whether the cell's result is there."""
        return (self.path(cell) / _CARD).is_file()

    def save(self, cell: Cell, arrays: Arrays, *, seconds: float) -> None:
        """Keep a result, and beside it what it is and how long it took."""
        part = self.path(cell).with_suffix(f".{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, array in arrays.items():
            np.save(part / f"{name}.npy", array, allow_pickle=False)
        card = {**cell.described(), "label": cell.label, "seconds": round(seconds, 3)}
        (part / _CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
        if self.has(cell):  # another process was faster, with the same result
            shutil.rmtree(part)
        else:
            part.rename(self.path(cell))

    def load(self, cell: Cell) -> Arrays:
        """Read a result; raise `FileNotFoundError` where it is not there."""
        folder = self.path(cell)
        if not self.has(cell):
            raise FileNotFoundError(f"{cell.label or cell.work.name}: no result yet")
        return {
            path.stem: np.load(path, mmap_mode="r", allow_pickle=False)
            for path in folder.glob("*.npy")
        }

    def seconds(self, cell: Cell) -> float:
        """Return how long the cell took."""
        return float(json.loads((self.path(cell) / _CARD).read_text(encoding="utf-8"))["seconds"])

    def folders(self) -> Iterator[Path]:
        """Yield the folder of every result."""
        for card in sorted(self.folder.glob(f"??/*/{_CARD}")):
            if not card.parent.name.endswith(".part"):
                yield card.parent
