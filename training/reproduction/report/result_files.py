"""The files of a finished run: its numbers, and what only pictures need."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lesion import durable
from training.pipeline import checkpoints

RESULTS, ARRAYS = "results.json", "arrays.npz"


def save(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray], run: Path) -> None:
    """Write what a run found into its folder."""
    checkpoints.write_json(run / RESULTS, results)
    with durable.opened(run / ARRAYS) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type] # its stub has a flag, too


def load(run: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what a run found; raise `FileNotFoundError` where it is not finished."""
    results: dict[str, Any] = json.loads((run / RESULTS).read_text(encoding="utf-8"))
    with np.load(run / ARRAYS, allow_pickle=False) as arrays:
        return results, dict(arrays)
