"""What arms said of the fresh lesions, one classifier of each cohort, and arms compared."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import softmax

from training.evaluation import metrics, multi_cohort
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.presets import GridPreset
from training.reproduction import independent_test_set


class ArmScores(NamedTuple):
    """What each arm got right [cohorts, fresh lesions], its likelihood by cohort; the patients."""

    right: dict[str, np.ndarray]
    likelihood: dict[str, list[float]]
    patients: np.ndarray

    @property
    def accuracy(self) -> dict[str, np.ndarray]:
        """Each arm's accuracy on every cohort: float64 [cohorts]."""
        return {name: each.mean(axis=1) for name, each in self.right.items()}


def judge(
    store: ArtifactStore,
    grid: GridPreset,
    arms: Mapping[str, list[Task]],
    *,
    flips: bool = False,
) -> ArmScores:
    """Read what classifiers said of the fresh lesions, or of them and their flips on average."""
    known = independent_test_set.truth(store, grid)
    looks = "_views" if flips else ""
    right: dict[str, np.ndarray] = {}
    likelihood: dict[str, list[float]] = {}
    for name, classifiers in arms.items():
        outputs = [
            independent_test_set.outputs(one, grid, "logits", of=looks)
            for one in map(store.load, classifiers)
        ]
        truth = known["classes"]
        right[name] = np.stack([logits.argmax(axis=1) == truth for logits in outputs])
        likelihood[name] = [
            metrics.negative_log_likelihood(softmax(logits, axis=1), truth) for logits in outputs
        ]
    return ArmScores(right, likelihood, known["patient_ids"])


def compare(judged: ArmScores, name: str, reference: str) -> dict[str, Any]:
    """Compare two arms, paired by cohort.

    `difference` and `p` are about other cohorts and other lesions, for all cohorts share the fresh
    ones and their chance does not average out. `cohorts_alone` is the t interval over cohorts on
    just these lesions, `negative_log_likelihood` that of the difference in it.
    """
    right, accuracy = judged.right, judged.accuracy
    found = multi_cohort.crossed_gain(right[name], right[reference], judged.patients)
    alone = multi_cohort.gain(accuracy[name], accuracy[reference])
    likely = multi_cohort.gain(*(np.array(judged.likelihood[one]) for one in (name, reference)))
    return {
        **found._asdict(),
        "cohorts_alone": list(alone.difference),
        "negative_log_likelihood": list(likely.difference),
    }


def share(judged: ArmScores, name: str) -> list[float] | None:
    """Return what share of the headroom an arm's gain closes, on just these lesions.

    None where it is not sure that there is headroom on other lesions too.
    """
    if compare(judged, "upper_bound", "classic")["difference"][1] <= 0:
        return None
    arms = (judged.accuracy[one] for one in (name, "classic", "upper_bound"))
    closed = multi_cohort.headroom_closed(*arms)
    return None if closed is None else list(closed)
