"""Table 6: what was done before networks, on the same folds (paper 4.5)."""

from collections.abc import Iterator
from typing import Any

from training.baselines import METHODS
from training.experiment import reading
from training.experiment.cell import Cell
from training.experiment.reading import Truth
from training.experiment.store import Store
from training.experiment.trial import Trial, rivals


def cells(trials: tuple[Trial, ...]) -> Iterator[Cell]:
    """Yield every rival's cells."""
    for trial in trials:
        for method in METHODS:
            yield from rivals(trial, method)


def results(store: Store, trials: tuple[Trial, ...], truth: Truth) -> dict[str, Any]:
    """Return each rival's figures."""
    return {
        method: reading.judged(store, [rivals(t, method) for t in trials], truth)
        for method in METHODS
    }
