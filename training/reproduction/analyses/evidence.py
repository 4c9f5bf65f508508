"""The evidence for the paper's claims, by the names that `training.statistics.claims` asks for.

Accuracies are compared lesion by lesion on the protocol's folds, patients drawn anew; a claim that
needs an experiment which was not run gets no evidence, and is "not tested".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from training.evaluation import metrics
from training.evaluation.bootstrap import bootstrap_between
from training.evaluation.metrics import Interval
from training.evaluation.paired_tests import bootstrap_difference
from training.phantom.classes import CLASSES
from training.reproduction.claims.claims import CLAIMS

#: Correctness of each repeat and lesion.
Correct = Bool[np.ndarray, "r n"]

#: The experiments' arms by the paper's names (Table 6).
METHODS = {
    "CNN-AUG": "classic",
    "CNN-AUG-GAN": "gan",
    "BoVW-MI-multi": "bovw-mi-multi",
    "BoVW-MI-single": "bovw-mi-single",
    "Gabor + SVM": "gabor-svm",
    "GLCM + SVM": "glcm-svm",
}
_CONFUSED = ("metastasis", "hemangioma")


@dataclass(frozen=True, slots=True)
class ProtocolPredictions:
    """What every arm said of the protocol's lesions: predicted classes int64 [r, n] by arm."""

    predicted: Mapping[str, np.ndarray]
    classes: np.ndarray
    patients: np.ndarray
    seed: int = 0

    def correct(self, arm: str) -> Correct:
        """Mark what an arm got right."""
        right: np.ndarray = self.predicted[arm] == self.classes
        return right

    def difference(self, arm: str, reference: str) -> Interval:
        """Compare two arms' accuracies."""
        return bootstrap_difference(
            self.correct(arm), self.correct(reference), self.patients, seed=self.seed
        )


#: Claims about two arms of the protocol: the claim's name, what is better, what is worse.
PAIRS = {
    "classic - none": ("classic", "none"),
    "classic - none, equal updates": ("classic, equal updates", "none, equal updates"),
    "next classic - classic": ("classic 7500", "classic 5000"),
    "most classic - classic": ("classic 15000", "classic 5000"),
    "synthetic - classic, nested": ("gan, nested", "classic, nested"),
    "new cases - classic": ("new", "classic"),
    "synthetic - new cases": ("gan", "new"),
    "DCGAN - ACGAN": ("gan", "acgan"),
    "ACGAN - classic": ("acgan", "classic"),
    "ACGAN - ACGAN discriminator": ("acgan", "acgan discriminator"),
    **{
        f"{better} - {worse}": (METHODS[better], METHODS[worse])
        for better in METHODS
        for worse in METHODS
    },
}


def collect(judged: ProtocolPredictions) -> dict[str, Interval]:
    """Return the evidence that the protocol's folds give, of the arms that were run."""
    asked = {comparison.key for claim in CLAIMS for comparison in claim.comparisons}
    found = {
        key: judged.difference(arm, reference)
        for key, (arm, reference) in PAIRS.items()
        if key in asked and {arm, reference} <= judged.predicted.keys()
    }
    return found | _confusable(judged) | _cysts(judged) | _alone(judged)


def _confusable(judged: ProtocolPredictions) -> dict[str, Interval]:
    """Compare sensitivity and specificity of the classes that are confused (Table 7)."""
    found = {}
    arms = judged.predicted["gan"], judged.predicted["classic"]
    for name in _CONFUSED:
        label = CLASSES.index(name)
        of_class = judged.classes == label
        for figure, rows in (("sensitivity", of_class), ("specificity", ~of_class)):
            ours, reference = ((arm[:, rows] == label) == of_class[rows] for arm in arms)
            found[f"{figure} of {name}, CNN-AUG-GAN - CNN-AUG"] = bootstrap_difference(
                ours, reference, judged.patients[rows], seed=judged.seed
            )
    return found


def _cysts(judged: ProtocolPredictions) -> dict[str, Interval]:
    """Compare cysts' sensitivity with the others', and say which classes errors confuse (4.3)."""
    found = {}
    for method in ("CNN-AUG-GAN", "CNN-AUG"):
        predicted = judged.predicted[METHODS[method]]
        right = (predicted == judged.classes).mean(axis=0)
        for name in _CONFUSED:
            found[f"sensitivity of {method}, cyst - {name}"] = bootstrap_between(
                right,
                judged.classes == CLASSES.index("cyst"),
                judged.classes == CLASSES.index(name),
                judged.patients,
                seed=judged.seed,
            )
        counts = metrics.confusion(judged.classes, predicted[0], classes=len(CLASSES))
        errors = int(counts.sum() - np.trace(counts))
        confused = int(counts[1, 2] + counts[2, 1])
        found[f"share of confused errors, {method}"] = metrics.wilson(confused, errors)
    return found


def _alone(judged: ProtocolPredictions) -> dict[str, Interval]:
    """Compare training on synthetic lesions alone with always naming the commonest class."""
    commonest = np.bincount(judged.classes).argmax()
    named = (judged.classes == commonest)[None]
    right = judged.correct("gan alone")
    interval = bootstrap_difference(right, named, judged.patients, seed=judged.seed)
    return {"synthetic alone - commonest class": interval}
