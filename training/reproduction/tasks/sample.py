"""A few lesions of a cohort, whose patches are too many to keep."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.pipeline.tasks import Arrays, TaskKind


@dataclass(frozen=True, slots=True)
class Sample:
    """These rows of the cohort: their own patches, and of each the first `variants`."""

    rows: tuple[int, ...]
    variants: int = 0


def _take(config: Sample, inputs: Mapping[str, Arrays]) -> Arrays:
    (cohort,) = inputs.values()
    rows = list(config.rows)
    return {
        "originals": np.asarray(cohort["originals"][rows]),
        "variants": np.asarray(cohort["variants"][rows, : config.variants]),
    }


SAMPLE = TaskKind("sample", _take)
