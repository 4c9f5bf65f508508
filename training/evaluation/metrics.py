"""Figures of merit (paper 4.1, equations 2-4), with the intervals that sample sizes allow."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Interval(NamedTuple):
    """An estimate with its 95 % interval: of a proportion Wilson's, where nothing else is said."""

    value: float
    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Return a proportion and its 95 % score interval (Wilson 1927).

    Without trials it is unknown: 0 to 1.
    """
    if trials == 0:
        return Interval(float("nan"), 0.0, 1.0)
    z = 1.959963984540054
    p = successes / trials
    centre = (p + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(p * (1 - p) / trials + z**2 / (4 * trials**2))
    return Interval(p, max(0.0, float(centre - half)), min(1.0, float(centre + half)))


def confusion(
    truth: Int[np.ndarray, " n"], predicted: Int[np.ndarray, " n"], *, classes: int
) -> Int[np.ndarray, "c c"]:
    """Count lesions by true (rows) and predicted class (columns), as the paper's Tables 2 and 3."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return counts


def accuracy(counts: Int[np.ndarray, "c c"]) -> Interval:
    """Return total accuracy (equation 2), the paper's "85.7 % sensitivity".

    It equals the support-weighted mean of the classes' sensitivities.
    """
    return wilson(int(np.trace(counts)), int(counts.sum()))


def sensitivity(counts: Int[np.ndarray, "c c"]) -> list[Interval]:
    """Return TP / (TP + FN) of each class (equation 3)."""
    return [wilson(int(counts[k, k]), int(counts[k].sum())) for k in range(len(counts))]


def specificity(counts: Int[np.ndarray, "c c"]) -> list[Interval]:
    """Return TN / (TN + FP) of each class (equation 4)."""
    negatives = counts.sum() - counts.sum(axis=1)
    false_positives = counts.sum(axis=0) - np.diag(counts)
    return [wilson(int(n - fp), int(n)) for n, fp in zip(negatives, false_positives, strict=True)]


def negative_log_likelihood(
    probabilities: Float[np.ndarray, "n c"], truth: Int[np.ndarray, " n"]
) -> float:
    """Return the mean of -log p(true class), in nats."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12)).mean())


def expected_calibration_error(
    probabilities: Float[np.ndarray, "n c"], truth: Int[np.ndarray, " n"], *, bins: int = 10
) -> float:
    """Return the mean gap of confidence and accuracy, in equal-width bins (Guo et al. 2017)."""
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    of_bin = np.minimum((confidence * bins).astype(int), bins - 1)
    gap = np.bincount(of_bin, right - confidence, minlength=bins)
    return float(np.abs(gap).sum() / len(truth))


def coverage(sets: Bool[np.ndarray, "n c"], truth: Int[np.ndarray, " n"]) -> list[Interval]:
    """Return the share of each class's lesions whose prediction set holds that class."""
    right = sets[np.arange(len(truth)), truth]
    return [
        wilson(int(right[truth == k].sum()), int((truth == k).sum())) for k in range(sets.shape[1])
    ]


def set_size(sets: Bool[np.ndarray, "n c"], truth: Int[np.ndarray, " n"]) -> list[float]:
    """Return the mean number of classes in the prediction sets of each class's lesions.

    nan without lesions.
    """
    count = np.bincount(truth, minlength=sets.shape[1])
    total = np.bincount(truth, sets.sum(axis=1), minlength=sets.shape[1])
    return [float(t / n) if n else float("nan") for t, n in zip(total, count, strict=True)]
