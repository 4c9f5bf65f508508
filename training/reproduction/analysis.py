"""What an analysis is: the tasks that it needs, what it finds, and how the report shows it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.metrics import Interval
from training.html.blocks import Section
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction.setup import ExperimentSetup

#: Makes a section of `results.json`'s contents and of the arrays that only pictures need.
SectionWriter = Callable[[Mapping[str, Any], Mapping[str, np.ndarray]], Section]


def no_tasks(_setup: ExperimentSetup) -> Iterable[Task]:
    """Need nothing that other analyses do not."""
    return ()


@dataclass(frozen=True, slots=True)
class Analysis:
    """One analysis; each module of `training.reproduction.analyses` declares its own.

    `name` is its key in `results.json`, `missing` what a report lacks without it. All functions but
    those of the report take the store and the setup; `evidence` is by the names that claims ask
    for, and `of_simulation` where it comes from simulated lesions even beside a site's own cohort.
    """

    name: str
    missing: str = ""
    tasks: Callable[[ExperimentSetup], Iterable[Task]] = no_tasks
    results: Callable[[ArtifactStore, ExperimentSetup], Any] | None = None
    arrays: Callable[[ArtifactStore, ExperimentSetup], dict[str, np.ndarray]] | None = None
    evidence: Callable[[ArtifactStore, ExperimentSetup], dict[str, Interval]] | None = None
    of_simulation: bool = False
    sections: tuple[SectionWriter, ...] = ()
    in_readme: bool = False
