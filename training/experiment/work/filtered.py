"""Of a generator's images those that a classifier is surest of (filtering of synthetic samples)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import log_softmax

from lesion.classes import CLASSES
from lesion.errors import RunError
from training.experiment.cell import Arrays, Work
from training.experiment.work.classifier import JUDGED
from training.experiment.work.sets import synthetic_images


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep `count` of the first `of` images of each class (roles `synthetic...`).

    The role `judge` chooses them.

    `judge` is a classifier that was given the same roles to judge and trained on none of them.
    """

    count: int
    of: int


def judged(generators: Mapping[str, object]) -> list[str]:
    """Return the roles under which a judge is given each of the generators."""
    return [f"{JUDGED}{role}" for role in generators]


def _filter(config: Filter, inputs: Mapping[str, Arrays]) -> Arrays:
    kept = []
    for label, name in enumerate(CLASSES):
        images = synthetic_images(inputs, label)
        if len(images) < config.of:
            raise RunError(f"found {len(images)} synthetic images, expected {config.of}")
        own = "logits_synthetic" in inputs["judge"]
        said = inputs["judge"]["logits_synthetic" if own else f"logits_synthetic-{name}"]
        logits = np.split(said, len(CLASSES))[label] if own else said
        sure = log_softmax(logits[: config.of].astype(np.float64), axis=1)[:, label]
        kept.append(images[np.sort(np.argsort(-sure, kind="stable")[: config.count])])
    return {"images": np.stack(kept)}


FILTERED = Work("filtered", _filter, bulky=True)
