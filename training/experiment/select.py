"""Choose the best group of augmentations, as the paper did and without its test folds."""

from collections.abc import Mapping


def saturation(accuracy: Mapping[int, float]) -> int:
    """Return the smallest group that reaches the highest accuracy (paper 4.2.1).

    The paper chose 5000 where 5000 and 7500 tie.
    """
    best = max(accuracy.values())
    return min(size for size, value in accuracy.items() if value >= best)
