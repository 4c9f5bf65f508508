"""Which lesions a network may see: folds, and folds within them (paper 4.1).

The paper chose its best groups on the folds that it reports. A nested selection chooses on inner
folds of the training part alone, so the test fold has no say.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, Shaped

from training.data.folds import assign
from training.data.patches import Patches
from training.seeds import derive


@dataclass(frozen=True, slots=True)
class Split:
    """One way to part a cohort. `fold` None trains on all lesions, and holds none out.

    With `inner` the part that `fold` leaves for training is parted once more.
    """

    seed: int
    fold: int | None = None
    inner: int | None = None


def split_patches(
    split: Split, patches: Patches
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Mark a cohort's lesions as `split_lesions` does."""
    patients = np.array(patches.patient_ids)
    return split_lesions(split, patches.classes, patients, names=patches.class_names)


def split_lesions(
    split: Split,
    classes: Int[np.ndarray, " n"],
    patients: Shaped[np.ndarray, " n"],
    *,
    names: Sequence[str],
) -> tuple[Bool[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
    """Mark the lesions to train on, and those held out to be judged; patients are kept apart.

    `names` are those of the classes. Raise `CohortError` as `assign` does.
    """
    chosen = np.ones(len(classes), dtype=bool)
    held_out = np.zeros(len(classes), dtype=bool)
    if split.fold is not None:
        fold = assign(
            classes, list(patients), seed=derive(split.seed, "folds") % 2**32, names=names
        )
        chosen = fold != split.fold
        held_out = ~chosen
    if split.inner is not None:
        rows = np.flatnonzero(chosen)
        seed = derive(split.seed, "inner", str(split.fold)) % 2**32
        inner = np.full(len(classes), -1)
        inner[rows] = assign(classes[rows], list(patients[rows]), seed=seed, names=names)
        held_out = inner == split.inner
        chosen = chosen & ~held_out
    return chosen, held_out
