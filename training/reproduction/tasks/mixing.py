"""Further images of a training part's lesions, made without a network (`training.mixing`).

They stand where a generator's images stand, so a classifier takes them as it takes those.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Literal, NamedTuple

import numpy as np

from training.data import datasets, mixing
from training.data.datasets import Scaling
from training.data.patches import Patches
from training.data.splits import Split, split_patches
from training.phantom.classes import CLASSES
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.tasks.cohort import from_arrays
from training.seeds import generator

Way = Literal["mixup", "composite", "normal_background", "background_transfer"]
#: The role of further surroundings, into which lesions are `normal_background`.
FURTHER_HOSTS = "hosts"


@dataclass(frozen=True, slots=True)
class MixingConfig:
    """`count` images of each class of the training part, made in one `way`.

    `mixup` ones start from the lesions' own patches and their first `variants` augmentations, the
    others from the patches alone: a transplant's circle holds for a lesion in
    the middle. `composite` ones are bent, transplanted and rescanned; `normal_background` ones
    are transplanted into normal surroundings of the training part's patients, too.
    """

    way: Way
    split: Split
    variants: int
    count: int
    seed: int
    scaling: Scaling = "window"


def _mix(config: MixingConfig, inputs: Mapping[str, Arrays]) -> Arrays:
    patches = from_arrays(inputs["cohort"])
    patients = np.array(patches.patient_ids)
    chosen, _ = split_patches(config.split, patches)
    rows = np.flatnonzero(chosen)
    hosts = _Hosts(patches.originals[rows], patients[rows])
    if config.way == "normal_background":
        hosts = hosts.and_of(inputs[FURTHER_HOSTS])
    images = [
        _of_class(config, patches, patients, hosts=hosts, rows=rows, label=label)
        for label in range(len(CLASSES))
    ]
    return {"images": datasets.rescale(np.stack(images), config.scaling).astype(np.float16)}


class _Hosts(NamedTuple):
    """Patches into which lesions are put [m, 64, 64], and whose they are [m]."""

    patches: np.ndarray
    patients: np.ndarray

    def and_of(self, surroundings: Arrays) -> "_Hosts":
        """Return these, and the normal surroundings of the same patients."""
        there = np.isin(surroundings["patient_ids"], self.patients)
        return _Hosts(
            np.concatenate([self.patches, surroundings["squares"][there]]),
            np.concatenate([self.patients, surroundings["patient_ids"][there]]),
        )


def _of_class(
    config: MixingConfig,
    patches: Patches,
    patients: np.ndarray,
    *,
    hosts: _Hosts,
    rows: np.ndarray,
    label: int,
) -> np.ndarray:
    """Make a class's images [count, 64, 64] in HU."""
    rng = generator(config.seed, config.way, CLASSES[label])
    mine = rows[patches.classes[rows] == label]
    if config.way in ("background_transfer", "composite", "normal_background"):
        own, of = patches.originals[mine], patients[mine]
        if config.way == "composite":
            times = ceil(config.count / len(mine))
            own, of = mixing.deform(np.repeat(own, times, axis=0), rng=rng), np.repeat(of, times)
        put = mixing.transfer_background(
            own,
            of,
            into=hosts.patches,
            hosts=hosts.patients,
            count=config.count,
            rng=rng,
        )
        return mixing.augment_scanner(put, rng=rng) if config.way == "composite" else put
    varied = [patches.originals[mine, None], patches.variants[mine, : config.variants]]
    hu = np.concatenate(varied, axis=1).reshape(-1, *patches.originals.shape[1:])
    of = np.repeat(patients[mine], 1 + config.variants)
    return mixing.mixup(hu, of, count=config.count, rng=rng)


MIXED = TaskKind("mixed", _mix)
