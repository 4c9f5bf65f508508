"""Real or synthetic: the readers' second task (paper 4.4), for a reader that never tires.

The paper's experts were right on 62.5 % and 58.6 % of 182 real and 120 synthetic lesions; "always
real" is right on 60.3 %. So balanced accuracy stands beside accuracy: .5 for a reader who cannot
tell.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped
from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from training.evaluation.bootstrap import bootstrap_between
from training.evaluation.metrics import Interval, wilson


class Reading(NamedTuple):
    """What a reader's answers are worth, with 95 % intervals; `always_real` needs no reader."""

    accuracy: Interval
    balanced_accuracy: Interval
    always_real: float


def answer(
    features: Float[np.ndarray, "n k"],
    real: Bool[np.ndarray, " n"],
    lesions: Shaped[np.ndarray, " n"],
    *,
    seed: int,
    folds: int = 5,
) -> Bool[np.ndarray, " n"]:
    """Return for each image whether a classifier that was trained on the others calls it real.

    A support vector machine with a Gaussian kernel on standardised features, in its library's
    default setting but for equal weight of the two sides. `lesions` keeps the copies of a lesion in
    one fold; a synthetic image has a name of its own there. Raise `ValueError` where a side has
    fewer lesions than there are folds.
    """
    for side, name in ((real, "real"), (~real, "synthetic")):
        found = len(np.unique(lesions[side]))
        if found < folds:
            raise ValueError(f"found {found} {name} lesions, expected at least {folds}")
    machine = make_pipeline(StandardScaler(), SVC(class_weight="balanced"))
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=seed % 2**32)
    called: np.ndarray = cross_val_predict(machine, features, real, groups=lesions, cv=splits)
    return called


def judge(
    called_real: Bool[np.ndarray, " n"],
    real: Bool[np.ndarray, " n"],
    lesions: Shaped[np.ndarray, " n"],
    *,
    seed: int,
) -> Reading:
    """Judge any reader's answers, a machine's or a person's, over one image per lesion.

    Balanced accuracy is the mean of the shares that are right of real and of synthetic images. Its
    interval is a bootstrap over `lesions` (or patients), accuracy's is Wilson's. Both take the
    reader as it is; a machine trained on other lesions would have answered otherwise, so repeat it
    over cohorts. Raise `ValueError` where either side is empty.
    """
    right = int((called_real == real).sum())
    more = bootstrap_between(called_real.astype(np.float64), real, ~real, lesions, seed=seed)
    return Reading(
        wilson(right, len(real)),
        Interval(*((1 + bound) / 2 for bound in more)),
        float(real.mean()),
    )
