"""What is settled once the curves are drawn, and every later section starts from."""

from collections.abc import Mapping
from dataclasses import dataclass

from training.data.splits import Split
from training.pipeline.tasks import Task
from training.presets import GridPreset
from training.reproduction.predictions import Labels
from training.reproduction.protocol import ProtocolRun


@dataclass(frozen=True, slots=True)
class ExperimentSetup:
    """The repeats of the protocol, their cohort's truth, the new cases, and the best groups.

    `classic` and `synthetic` are chosen on the reported folds, as the paper chose; `nested` is each
    outer fold's own choice, made on inner folds (empty where that is left out). `cohorts` are the
    further cohorts' own choices, by their seeds.
    """

    repeats: tuple[ProtocolRun, ...]
    truth: Labels
    new: Task
    classic: int
    synthetic: int
    nested: Mapping[Split, tuple[int, int]]
    cohorts: Mapping[int, tuple[int, int]]

    @property
    def grid(self) -> GridPreset:
        """The preset."""
        return self.repeats[0].grid

    @property
    def simulated(self) -> bool:
        """Whether the cohort itself is; new cases and fresh lesions always are."""
        cohort = self.protocol.cohort.config
        return bool(getattr(cohort, "simulated", True))

    @property
    def protocol(self) -> ProtocolRun:
        """The first repeat: what is measured once is measured on it."""
        return self.repeats[0]
