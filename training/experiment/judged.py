"""What arms said of the fresh lesions, one classifier of each cohort, and arms compared."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from training import metrics
from training.experiment import fresh
from training.experiment.cell import Cell
from training.experiment.presets import Experiment
from training.experiment.store import Store
from training.statistics import cohorts as statistics


class Judged(NamedTuple):
    """What each arm got right [cohorts, fresh lesions], its likelihood by cohort; the patients."""

    right: dict[str, np.ndarray]
    likelihood: dict[str, list[float]]
    patients: np.ndarray

    @property
    def accuracy(self) -> dict[str, np.ndarray]:
        """Each arm's accuracy on every cohort: float64 [cohorts]."""
        return {name: each.mean(axis=1) for name, each in self.right.items()}


def judge(
    store: Store, experiment: Experiment, arms: Mapping[str, list[Cell]], *, flips: bool = False
) -> Judged:
    """Read what classifiers said of the fresh lesions, or of them and their flips on average."""
    known = fresh.truth(store, experiment)
    parts = range(len(fresh.lesions(experiment)))
    right: dict[str, np.ndarray] = {}
    likelihood: dict[str, list[float]] = {}
    for name, classifiers in arms.items():
        said = [
            np.concatenate([one[f"logits_fresh-{i}{'_views' if flips else ''}"] for i in parts])
            for one in map(store.load, classifiers)
        ]
        truth = known["classes"]
        right[name] = np.stack([logits.argmax(axis=1) == truth for logits in said])
        likelihood[name] = [
            metrics.negative_log_likelihood(softmax(logits, axis=1), truth) for logits in said
        ]
    return Judged(right, likelihood, known["patient_ids"])


def compare(judged: Judged, name: str, reference: str) -> dict[str, Any]:
    """Compare two arms, paired by cohort.

    `difference` and `p` are about other cohorts and other lesions, for all cohorts share the fresh
    ones and their chance does not average out. `cohorts_alone` is the t interval over cohorts on
    just these lesions.
    """
    right, accuracy = judged.right, judged.accuracy
    found = statistics.crossed_gain(right[name], right[reference], judged.patients)
    alone = statistics.gain(accuracy[name], accuracy[reference]).difference
    return {**found._asdict(), "cohorts_alone": list(alone)}


def share(judged: Judged, name: str) -> list[float] | None:
    """Return what share of the headroom an arm's gain closes, on just these lesions."""
    accuracy = judged.accuracy
    closed = statistics.headroom_closed(accuracy[name], accuracy["classic"], accuracy["ceiling"])
    return None if closed is None else list(closed)
