"""How near synthetic images come to the images that their generator was trained on, in pixels."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from training.data import datasets
from training.data.datasets import Scaling
from training.data.splits import Split, split_patches
from training.data.training_sets import group_size
from training.evaluation.image_quality import membership_inference, memorisation, nearest_neighbours
from training.phantom.classes import CLASSES
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.tasks.cohort import from_arrays
from training.reproduction.tasks.synthetic_images import of_class


@dataclass(frozen=True, slots=True)
class Nearness:
    """Synthetic images (roles `synthetic...`), the cohort, and `fresh` lesions as the control.

    Their generator was trained on a classic group of `classic_per_fold` (4.2.2): a copy may be one
    of its rotated, moved or shrunk images. At most `each` images of a class are looked at, the
    first.
    """

    split: Split
    classic_per_fold: int
    each: int
    scaling: Scaling = "window"


def _measure(config: Nearness, inputs: Mapping[str, Arrays]) -> Arrays:
    patches = from_arrays(inputs["cohort"])
    chosen, _ = split_patches(config.split, patches)
    own = datasets.rescale(patches.originals[chosen], config.scaling)
    fresh = datasets.rescale(np.asarray(inputs["fresh"]["originals"]), config.scaling)
    group = datasets.classic(
        patches,
        chosen,
        count=group_size(config.classic_per_fold, chosen),
        device=torch.device("cpu"),
        scaling=config.scaling,
    )
    synthetic = _flat(
        np.concatenate(
            [of_class(inputs, label)[: config.each] for label in range(len(CLASSES))]
        ).astype(np.float32)
    )
    trained_on = _flat(np.concatenate([nearest_neighbours.symmetries(own), group.images.numpy()]))
    return {
        "synthetic": memorisation.distances(synthetic, trained_on),
        "fresh": memorisation.distances(_flat(fresh), trained_on),
        "members": _scores(own, synthetic),
        "others": _scores(fresh, synthetic),
    }


def _scores(lesions: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Score lesions by the nearest synthetic image to them in any of the square's symmetries."""
    turned = membership_inference.scores(_flat(nearest_neighbours.symmetries(lesions)), synthetic)
    best: np.ndarray = turned.reshape(-1, len(lesions)).max(axis=0)
    return best


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


NEARNESS = TaskKind("nearness", _measure)
