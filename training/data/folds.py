"""Cross-validation folds: patients apart, classes balanced (paper 4.1)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from sklearn.model_selection import StratifiedGroupKFold

from lesion.errors import CohortError

FOLDS = 3


def assign(
    classes: Int[np.ndarray, " n"], patients: Sequence[str], *, seed: int, names: Sequence[str]
) -> Int[np.ndarray, " n"]:
    """Return each lesion's fold, 0 to `FOLDS` - 1. All lesions of a patient share one.

    Raise `CohortError` for a class, one of `names`, that has too few patients to be in every fold.
    """
    for index, name in enumerate(names):
        found = len({p for p, k in zip(patients, classes, strict=True) if k == index})
        if found < FOLDS:
            raise CohortError(f"{name}: found {found} patients, expected at least {FOLDS}")
    splitter = StratifiedGroupKFold(n_splits=FOLDS, shuffle=True, random_state=seed)
    fold = np.empty(len(classes), dtype=np.int64)
    for index, (_, test) in enumerate(
        splitter.split(classes, classes, groups=np.asarray(patients))
    ):
        fold[test] = index
    return fold
