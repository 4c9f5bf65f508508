"""Choose the best group of augmentations, as the paper did and without its test folds."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell


def saturation(accuracy: Mapping[int, float]) -> int:
    """Return the smallest group that reaches the highest accuracy (paper 4.2.1).

    The paper chose 5000 where 5000 and 7500 tie.
    """
    best = max(accuracy.values())
    return min(size for size, value in accuracy.items() if value >= best)


def on_inner(
    store: Store, groups: Mapping[int, Sequence[Cell]], classes: Int[np.ndarray, " n"]
) -> int:
    """Return the group whose classifiers are best on the inner folds that they held out."""
    accuracy = {}
    for size, cells in groups.items():
        said = [store.load(cell) for cell in cells]
        right = [s["logits"].argmax(axis=1) == classes[s["rows"]] for s in said]
        accuracy[size] = float(np.concatenate(right).mean())
    return saturation(accuracy)
