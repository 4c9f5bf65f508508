"""From cross-validated outputs to honest uncertainty: temperature and conformal quantiles.

Everything here sees only what a classifier said of lesions that it was not trained on.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from training.evaluation.metrics import negative_log_likelihood

COVERAGE = 0.90
#: Share of the training cohort's own lesions that the out-of-distribution threshold turns away.
OUT_OF_DISTRIBUTION_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What turns logits into probabilities and prediction sets.

    `quantile` float64 [c], one per class.
    """

    temperature: float
    quantile: Float[np.ndarray, " c"]

    def probabilities(self, logits: Float[np.ndarray, "n c"]) -> Float[np.ndarray, "n c"]:
        """Soften the logits."""
        result: np.ndarray = softmax(logits.astype(np.float64) / self.temperature, axis=1)
        return result

    def sets(self, probabilities: Float[np.ndarray, "n c"]) -> Bool[np.ndarray, "n c"]:
        """Mark each lesion's prediction set."""
        return probabilities >= 1 - self.quantile


def fit(logits: Float[np.ndarray, "n c"], truth: Int[np.ndarray, " n"]) -> Calibrated:
    """Fit the temperature (Guo et al. 2017), then each class's conformal quantile (Vovk 2012)."""
    temperature = _temperature(logits, truth)
    probabilities = softmax(logits.astype(np.float64) / temperature, axis=1)
    surprise = 1 - probabilities[np.arange(len(truth)), truth]
    quantile = [_conformal_quantile(surprise[truth == k]) for k in range(logits.shape[1])]
    return Calibrated(temperature, np.array(quantile))


def cross_fitted(
    logits: Float[np.ndarray, "n c"], truth: Int[np.ndarray, " n"], fold: Int[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, "n c"], Bool[np.ndarray, "n c"]]:
    """Return probabilities and prediction sets of each fold, calibrated on the others.

    So nothing that is reported of calibration was fitted on what it is judged by.
    """
    probabilities = np.empty(logits.shape, dtype=np.float64)
    sets = np.empty(logits.shape, dtype=bool)
    for index in np.unique(fold):
        here = fold == index
        calibrated = fit(logits[~here], truth[~here])
        probabilities[here] = calibrated.probabilities(logits[here])
        sets[here] = calibrated.sets(probabilities[here])
    return probabilities, sets


def _temperature(logits: Float[np.ndarray, "n c"], truth: Int[np.ndarray, " n"]) -> float:
    def loss(log_temperature: float) -> float:
        return negative_log_likelihood(softmax(logits / np.exp(log_temperature), axis=1), truth)

    return float(np.exp(minimize_scalar(loss, bounds=(-3.0, 4.0), method="bounded").x))


def _conformal_quantile(surprise: Float[np.ndarray, " m"]) -> float:
    """Return the ceil((m + 1) x coverage)-th smallest surprise; 1 where m is too small for one."""
    rank = int(np.ceil((len(surprise) + 1) * COVERAGE))
    return float(np.sort(surprise)[rank - 1]) if rank <= len(surprise) else 1.0
