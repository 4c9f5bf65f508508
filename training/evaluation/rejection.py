"""Whether a classifier knows what it does not know: foreign lesions, and lesions it gets wrong."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import brentq
from scipy.stats import norm, rankdata

from training.evaluation.metrics import Interval, wilson


def auroc(inside: Float[np.ndarray, " n"], outside: Float[np.ndarray, " m"]) -> Interval:
    """Return the chance that an outside lesion scores higher than an inside one; ties count half.

    Scores rise with strangeness, as `training.ood`'s. The interval is Newcombe's (2006, method 5):
    it does not collapse where the two are wholly apart. Raise `ValueError` if either is empty.
    """
    if not len(inside) or not len(outside):
        raise ValueError(f"found {len(inside)} inside and {len(outside)} outside scores")
    n, m = len(inside), len(outside)
    above = rankdata(np.concatenate([inside, outside]))[n:].sum() - m * (m + 1) / 2
    value = float(above / (n * m))
    return Interval(value, *_newcombe(value, n, m))


def false_positive_rate(
    inside: Float[np.ndarray, " n"], outside: Float[np.ndarray, " m"], *, recall: float = 0.95
) -> Interval:
    """Return the share of outside lesions let in by the threshold that lets in 95 % of the inside.

    In-distribution is the positive class (Liang et al. 2018): its recall is what is fixed, on these
    very scores, and a false positive is a foreign lesion that is taken for one of the classes.
    The Wilson interval is about other foreign lesions and takes the threshold as it is.
    """
    threshold = np.quantile(inside, recall, method="inverted_cdf")
    return wilson(int((outside <= threshold).sum()), len(outside))


class RiskCoverage(NamedTuple):
    """A selective classifier's error over what it still answers, from 1 lesion to all n.

    `area` is the curve's mean (AURC), `excess` what of it a perfect order of the same answers would
    have spared (E-AURC).
    """

    coverage: Float[np.ndarray, " n"]
    risk: Float[np.ndarray, " n"]
    area: float
    excess: float


def risk_coverage(
    confidence: Float[np.ndarray, " n"], correct: Bool[np.ndarray, " n"]
) -> RiskCoverage:
    """Answer the surest lesions first (Geifman and El-Yaniv 2017; its area: Geifman et al. 2019).

    Lesions of one confidence come in no order: each counts with their mean error. Raise
    `ValueError` for no lesions.
    """
    if not len(confidence):
        raise ValueError("found no lesions")
    risk = _risk(confidence, ~correct)
    oracle = _risk(correct.astype(np.float64), ~correct)
    coverage = np.arange(1, len(risk) + 1) / len(risk)
    return RiskCoverage(coverage, risk, float(risk.mean()), float((risk - oracle).mean()))


def _risk(confidence: Float[np.ndarray, " n"], wrong: Bool[np.ndarray, " n"]) -> np.ndarray:
    _, level = np.unique(-confidence, return_inverse=True)
    size = np.bincount(level)
    errors = np.repeat(np.bincount(level, wrong) / size, size)
    risk: np.ndarray = np.cumsum(errors) / np.arange(1, len(errors) + 1)
    return risk


def _newcombe(value: float, inside: int, outside: int) -> tuple[float, float]:
    """Solve |value - a| = 1.96 x the standard error that Hanley and McNeil (1982) give for a."""
    z, others = norm.ppf(0.975), (inside + outside) / 2 - 1

    def surplus(a: float) -> float:
        spread = 1 + others * ((1 - a) / (2 - a) + a / (1 + a))
        return float((value - a) ** 2 - z**2 * a * (1 - a) * spread / (inside * outside))

    low = brentq(surplus, 0.0, value) if value > 0 else 0.0
    high = brentq(surplus, value, 1.0) if value < 1 else 1.0
    return float(low), float(high)
