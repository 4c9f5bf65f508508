"""Two classifiers on the same lesions: each lesion is its own control.

182 lesions say little of two accuracies and more of their difference, because most lesions are easy
or hard for both (paper facts: 143 against 156 of 182 is p = .075 unpaired).
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy import stats
from statsmodels.stats.multitest import multipletests

from training import seeds
from training.metrics import Interval
from training.statistics.student import TTest, t_test


class McNemar(NamedTuple):
    """Lesions that only the classifier got right, that only the reference did, and the exact p."""

    gained: int
    lost: int
    p: float


def mcnemar(correct: Bool[np.ndarray, " n"], reference: Bool[np.ndarray, " n"]) -> McNemar:
    """Test one run against another by the lesions that changed (McNemar 1947, exact binomial).

    p is two-sided, and 1 where nothing changed. Lesions count as independent.
    """
    gained, lost = int((correct & ~reference).sum()), int((~correct & reference).sum())
    p = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    return McNemar(gained, lost, float(p))


def bootstrap_difference(
    correct: Bool[np.ndarray, "r n"],
    reference: Bool[np.ndarray, "s n"],
    patients: Shaped[np.ndarray, " n"],
    *,
    seed: int,
    resamples: int = 10_000,
) -> Interval:
    """Return the difference of two accuracies with its 95 % percentile interval.

    Rows are repeats, which may differ in number. Each lesion counts with its mean over them, and
    whole patients are drawn, because lesions of one patient share a scan (Field and Welsh 2007). So
    the interval is about other patients; the repeats are taken as they are, and their own spread
    shrinks only as more are run. Raise `ValueError` for fewer than two patients.
    """
    gain = correct.mean(axis=0) - reference.mean(axis=0)
    _, patient = np.unique(patients, return_inverse=True)
    of_patient, lesions = np.bincount(patient, gain), np.bincount(patient).astype(np.float64)
    if len(lesions) < 2:
        raise ValueError(f"found {len(lesions)} patients, expected at least 2")
    interval = stats.bootstrap(
        (of_patient, lesions),
        lambda total, count, axis: total.sum(axis=axis) / count.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=resamples,
        batch=max(1, 1_000_000 // len(lesions)),  # bounds the memory, not the result
        rng=seeds.generator(seed, "bootstrap"),
    ).confidence_interval
    return Interval(float(gain.mean()), float(interval.low), float(interval.high))


def corrected_t(differences: Float[np.ndarray, "r k"]) -> TTest:
    """Test repeated k-fold differences, rows repeats, columns folds (Nadeau and Bengio 2003).

    Training sets overlap, so folds are not independent: the variance of the mean is raised by
    n_test / n_train, which is 1 / (k - 1). Raise `ValueError` for fewer than two folds.
    """
    repeats, folds = differences.shape
    if folds < 2:
        raise ValueError(f"found {folds} folds, expected at least 2")
    share = 1 / (repeats * folds) + 1 / (folds - 1)
    standard_error = float(np.sqrt(share * differences.var(ddof=1)))
    return t_test(float(differences.mean()), standard_error, degrees=repeats * folds - 1)


def holm(p: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Adjust the p of each point of a curve for there being m of them (Holm 1979)."""
    adjusted: np.ndarray = multipletests(p, method="holm")[1]
    return adjusted
