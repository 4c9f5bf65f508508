"""One rule for all baselines: standardise, then a support vector machine, tuned on training data.

Whatever is learned (words kept, means and spreads, the parameters) is learned anew inside each
inner fold, with patients apart, so that the choice of parameters is honest too.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from sklearn.feature_selection import SelectKBest
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from lesion.errors import CohortError
from training.phantom.classes import CLASSES
from training.seeds import derive
from training.settings import SvmSettings


def fit_predict(
    train_features: Float[np.ndarray, "n k"],
    train_classes: Int[np.ndarray, " n"],
    train_patients: Sequence[str],
    test_features: Float[np.ndarray, "m k"],
    *,
    preset: SvmSettings,
    seed: int,
) -> Float[np.ndarray, "m 3"]:
    """Train on some lesions' features and score others. The largest score names the class.

    Scores are decision values, not probabilities. Raise `CohortError` as `tuned` does.
    """
    model = tuned(
        machine(), train_features, train_classes, train_patients, preset=preset, seed=seed
    )
    return model.decision_function(test_features)


def machine(select: SelectKBest | Literal["passthrough"] = "passthrough") -> Pipeline:
    """Return an untrained machine, which first selects among the features if told how.

    Classes weigh the same however many lesions they have.
    """
    # By default scikit-learn's RBF kernel is exp(-|x - y|^2 / k) for k standardised features.
    svc = SVC(class_weight="balanced", break_ties=True)
    return Pipeline([("select", select), ("scale", StandardScaler()), ("svc", svc)])


def tuned(
    model: Pipeline | OneVsRestClassifier,
    features: Float[np.ndarray, "n k"],
    classes: Int[np.ndarray, " n"],
    patients: Sequence[str],
    *,
    preset: SvmSettings,
    seed: int,
) -> GridSearchCV:
    """Train a machine, or one per class, with the parameters of the best inner accuracy.

    Raise `CohortError` for a class with fewer than two patients, which no inner fold could hold
    out.
    """
    folds = min(preset.inner_folds, _fewest_patients(classes, patients))
    splitter = StratifiedGroupKFold(
        n_splits=folds, shuffle=True, random_state=derive(seed, "inner folds") % 2**32
    )
    prefix = "svc__" if isinstance(model, Pipeline) else "estimator__svc__"
    grid = {f"{prefix}C": preset.costs, f"{prefix}kernel": preset.kernels}
    search = GridSearchCV(model, grid, scoring="accuracy", cv=splitter, error_score="raise")
    return search.fit(features, classes, groups=np.asarray(patients))


def _fewest_patients(classes: Int[np.ndarray, " n"], patients: Sequence[str]) -> int:
    found = [len(set(np.asarray(patients)[classes == index])) for index in range(len(CLASSES))]
    fewest = min(found)
    if fewest < 2:
        name = CLASSES[found.index(fewest)]
        raise CohortError(f"{name}: found {fewest} training patients, expected at least 2")
    return fewest
