"""How near synthetic images come to the lesions that their generator was trained on, in pixels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training import datasets
from training.datasets import Scaling
from training.experiment.cell import Arrays, Work
from training.experiment.splits import Split, part
from training.experiment.work.cohort import as_patches
from training.quality import membership, memorisation, nearest


@dataclass(frozen=True, slots=True)
class Nearness:
    """Synthetic images (roles `synthetic...`), the cohort, and `fresh` lesions as the control.

    At most `each` images of a class are looked at, the first.
    """

    split: Split
    each: int
    scaling: Scaling = "window"


def _measure(config: Nearness, inputs: Mapping[str, Arrays]) -> Arrays:
    patches = as_patches(inputs["cohort"])
    chosen, _ = part(config.split, patches.classes, np.array(patches.patient_ids))
    own = datasets.rescale(patches.originals[chosen], config.scaling)
    fresh = _flat(datasets.rescale(np.asarray(inputs["fresh"]["originals"]), config.scaling))
    synthetic = _flat(
        np.concatenate(
            [
                of_class[: config.each]
                for role, arrays in inputs.items()
                if role.startswith("synthetic")
                for of_class in arrays["images"]
            ]
        ).astype(np.float32)
    )
    turned = _flat(nearest.symmetries(own))
    return {
        "synthetic": memorisation.distances(synthetic, turned),
        "fresh": memorisation.distances(fresh, turned),
        "members": membership.scores(_flat(own), synthetic),
        "others": membership.scores(fresh, synthetic),
    }


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


NEARNESS = Work("nearness", _measure)
