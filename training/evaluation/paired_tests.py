"""Two classifiers on the same lesions: each lesion is its own control.

182 lesions say little of two accuracies and more of their difference, because most lesions are easy
or hard for both: the paper's 143 against 156 is p = .075 unpaired.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy import stats
from statsmodels.stats.multitest import multipletests

from training.evaluation.bootstrap import RESAMPLES, bootstrap_gain
from training.evaluation.metrics import Interval
from training.evaluation.t_tests import TTest, t_test


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
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the difference of two accuracies with its 95 % interval, whole patients drawn.

    Rows are repeats, which may differ in number; each lesion counts with its mean over them. So the
    interval is about other patients: the repeats are taken as they are. The chance of training is
    not in it, and shrinks only as more are run (`corrected_t`). Raise `ValueError` for fewer than
    two patients.
    """
    gain = correct.mean(axis=0) - reference.mean(axis=0)
    return bootstrap_gain(gain, patients, seed=seed, resamples=resamples)


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
