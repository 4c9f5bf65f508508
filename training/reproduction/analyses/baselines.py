"""Table 6: what was done before networks, on the same folds (paper 4.5)."""

from collections.abc import Iterator
from typing import Any

from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction import predictions
from training.reproduction.analysis import Analysis
from training.reproduction.baselines import METHODS
from training.reproduction.protocol import baseline_tasks
from training.reproduction.report.sections import methods
from training.reproduction.setup import ExperimentSetup


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield every baseline's tasks."""
    for protocol in setup.repeats:
        for method in METHODS:
            yield from baseline_tasks(protocol, method)


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return each baseline's figures."""
    return {
        method: predictions.arm_figures(
            store, [baseline_tasks(t, method) for t in setup.repeats], setup.truth
        )
        for method in METHODS
    }


ANALYSIS = Analysis(
    "baselines",
    "the other methods (Table 6)",
    tasks=tasks,
    results=results,
    sections=(methods.baselines,),
)
