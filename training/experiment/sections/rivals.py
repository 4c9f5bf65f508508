"""Table 6: what was done before networks, on the same folds (paper 4.5)."""

from collections.abc import Iterator
from typing import Any

from training.baselines import METHODS
from training.experiment import reading
from training.experiment.cell import Cell
from training.experiment.store import Store
from training.experiment.study import Study
from training.experiment.trial import rivals


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
