"""The small part of a bulky result that figures and tables need, kept where the rest is not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.experiment.cell import Arrays, Work


@dataclass(frozen=True, slots=True)
class Excerpt:
    """These arrays of the input; of `images` and `variants` the first `rows` along their axis 1."""

    arrays: tuple[str, ...]
    rows: int = 0


def _take(config: Excerpt, inputs: Mapping[str, Arrays]) -> Arrays:
    (arrays,) = inputs.values()
    long = ("images", "variants")
    return {
        name: np.asarray(arrays[name][:, : config.rows] if name in long else arrays[name])
        for name in config.arrays
    }


EXCERPT = Work("excerpt", _take)
