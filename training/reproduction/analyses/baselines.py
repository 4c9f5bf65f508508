"""Table 6: what was done before networks, on the same folds (paper 4.5)."""

from collections.abc import Iterator
from typing import Any

from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import predictions as reading
from training.reproduction.baselines import METHODS
from training.reproduction.protocol import rivals
from training.reproduction.setup import Study


def cells(study: Study) -> Iterator[Cell]:
    """Yield every rival's cells."""
    for trial in study.repeats:
        for method in METHODS:
            yield from rivals(trial, method)


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return each rival's figures."""
    return {
        method: reading.judged(store, [rivals(t, method) for t in study.repeats], study.truth)
        for method in METHODS
    }
