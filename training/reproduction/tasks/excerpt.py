"""The small part of a bulky result that figures and tables need, kept where the rest is not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.pipeline.tasks import Arrays, TaskKind


@dataclass(frozen=True, slots=True)
class Excerpt:
    """These arrays of the input; of `images` and `variants` some `rows` along their axis 1.

    The first so many, or the last if the number is negative: the spare synthetic images.
    """

    arrays: tuple[str, ...]
    rows: int = 0


def _take(config: Excerpt, inputs: Mapping[str, Arrays]) -> Arrays:
    (arrays,) = inputs.values()
    long = ("images", "variants")
    some = slice(config.rows) if config.rows >= 0 else slice(config.rows, None)
    return {
        name: np.asarray(arrays[name][:, some] if name in long else arrays[name])
        for name in config.arrays
    }


EXCERPT = TaskKind("excerpt", _take)
