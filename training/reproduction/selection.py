"""Choose the best group of augmentations, as the paper did and without its test folds."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Int

from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task


def saturation(accuracy: Mapping[int, float]) -> int:
    """Return the smallest group that reaches the highest accuracy (paper 4.2.1).

    The paper chose 5000 where 5000 and 7500 tie.
    """
    best = max(accuracy.values())
    return min(size for size, value in accuracy.items() if value >= best)


def on_inner(
    store: ArtifactStore, groups: Mapping[int, Sequence[Task]], classes: Int[np.ndarray, " n"]
) -> int:
    """Return the group whose classifiers are best on the inner folds that they held out."""
    accuracy = {}
    for size, tasks in groups.items():
        outputs = [store.load(task) for task in tasks]
        right = [s["logits"].argmax(axis=1) == classes[s["rows"]] for s in outputs]
        accuracy[size] = float(np.concatenate(right).mean())
    return saturation(accuracy)
