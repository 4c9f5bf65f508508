"""Read tasks' results back as the figures that sections are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy.special import softmax

from training.evaluation import metrics
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task

#: One arm's tasks: repeats, and of each its folds.
Arm = Sequence[Sequence[Task]]


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of a cohort's lesions: classes int64 [n], patients [n]."""

    classes: Int[np.ndarray, " n"]
    patients: Shaped[np.ndarray, " n"]


def held_out(
    store: ArtifactStore, folds: Sequence[Task], truth: Labels, *, name: str = "logits"
) -> Float[np.ndarray, "n 3"]:
    """Put together what the folds' networks said of the lesions that each never saw."""
    whole = np.full((len(truth.classes), len(CLASSES)), np.nan)
    for task in folds:
        outputs = store.load(task)
        whole[outputs["rows"]] = outputs[name]
    return whole


def predicted(
    store: ArtifactStore, arm: Arm, truth: Labels, *, name: str = "logits"
) -> Int[np.ndarray, "r n"]:
    """Return the class that each repeat of an arm gives each lesion."""
    outputs = [held_out(store, folds, truth, name=name) for folds in arm]
    return np.stack([logits.argmax(axis=1) for logits in outputs])


def arm_figures(
    store: ArtifactStore, arm: Arm, truth: Labels, *, name: str = "logits"
) -> dict[str, Any]:
    """Return an arm's accuracy, confusion, sensitivities and specificities (equations 2-4).

    Those of the first repeat, as the paper has one; beside them every repeat's accuracy.
    """
    outputs = [held_out(store, folds, truth, name=name) for folds in arm]
    return {
        **figures(outputs[0], truth.classes),
        "repeats": [float((logits.argmax(axis=1) == truth.classes).mean()) for logits in outputs],
    }


def figures(logits: Float[np.ndarray, "n 3"], classes: Int[np.ndarray, " n"]) -> dict[str, Any]:
    """Return accuracy, confusion, sensitivity, specificity, likelihood and calibration."""
    counts = metrics.confusion(classes, logits.argmax(axis=1), classes=logits.shape[1])
    specificity = metrics.specificity(counts)
    weighted = np.average([s.value for s in specificity], weights=counts.sum(axis=1))
    probabilities = softmax(logits, axis=1)
    return {
        "accuracy": list(metrics.accuracy(counts)),
        "confusion": counts.tolist(),
        "sensitivity": by_class(metrics.sensitivity(counts)),
        "specificity": by_class(specificity),
        "weighted_specificity": float(weighted),
        "negative_log_likelihood": metrics.negative_log_likelihood(probabilities, classes),
        "expected_calibration_error": metrics.expected_calibration_error(probabilities, classes),
    }


def by_class(intervals: Sequence[metrics.Interval]) -> dict[str, list[float]]:
    """Name each class's figure."""
    return {name: list(one) for name, one in zip(CLASSES, intervals, strict=True)}
