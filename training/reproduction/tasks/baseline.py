"""One of the paper's baselines on one fold (4.5, Table 6)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.data.splits import Split, split_patches
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.baselines import METHODS
from training.reproduction.tasks.cohort import from_arrays
from training.settings import BaselineSettings


@dataclass(frozen=True, slots=True)
class BaselineConfig:
    """A method of `training.baselines.METHODS` to train on a split and judge its held-out part."""

    method: str
    preset: BaselineSettings
    split: Split
    seed: int


def _judge(config: BaselineConfig, inputs: Mapping[str, Arrays]) -> Arrays:
    patches = from_arrays(inputs["cohort"])
    patients = np.array(patches.patient_ids)
    chosen, held_out = split_patches(config.split, patches)
    scores = METHODS[config.method](
        patches.originals[chosen],
        patches.classes[chosen],
        list(patients[chosen]),
        patches.originals[held_out],
        preset=config.preset,
        seed=config.seed,
    )
    return {"rows": np.flatnonzero(held_out), "logits": scores}


BASELINE = TaskKind("baseline", _judge)
