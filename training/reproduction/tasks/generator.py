"""Fit a generator on one training part and draw its synthetic lesions (paper 3.2, 3.3, 4.2.2).

The images are kept, not the weights: classifiers, galleries and quality measures all start from the
same ones, and of a larger group of them the first are the smaller group (D_synth 1 is part of
D_synth 2, and so on).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import torch

from lesion.classes import CLASSES
from training.data import datasets
from training.data.datasets import Scaling
from training.data.splits import Split, part
from training.data.training_sets import group_size
from training.networks import acgan, gan
from training.networks.architectures import Generator
from training.networks.devices import select_device
from training.pipeline.checkpoints import NoTrainingLog
from training.pipeline.tasks import Arrays, TaskKind
from training.presets import GanPreset
from training.reproduction.tasks.cohort import as_patches
from training.seeds import derive

Kind = Literal["dcgan", "acgan", "conditional"]


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """A generator to fit on the training part's best classic group, and `count` images a class.

    A `dcgan` is fitted for one class, `label`; the others are one network for all.
    """

    kind: Kind
    preset: GanPreset
    split: Split
    classic_per_fold: int
    count: int
    seed: int
    scaling: Scaling = "window"
    label: int | None = None


def _synthesize(config: GeneratorConfig, inputs: Mapping[str, Arrays]) -> Arrays:
    device = select_device()
    patches = as_patches(inputs["cohort"])
    chosen, held_out = part(config.split, patches.classes, np.array(patches.patient_ids))
    size = group_size(config.classic_per_fold, chosen)
    originals = partial(datasets.originals, patches, device=device, scaling=config.scaling)
    data = originals(chosen) + datasets.classic(
        patches, chosen, count=size, device=device, scaling=config.scaling
    )
    if config.kind == "acgan":
        pair = acgan.train(data, config.preset, seed=config.seed, log=NoTrainingLog())
        logits = acgan.classify(pair.discriminator, originals(held_out).images).numpy()
        images = _images(pair.generator, config)
        return {"images": images, "rows": np.flatnonzero(held_out), "logits": logits}
    wanted = data if config.label is None else data.of_class(config.label)
    generator = gan.train(wanted, config.preset, seed=config.seed, log=NoTrainingLog())
    return {"images": _images(generator, config)}


def _images(generator: Generator, config: GeneratorConfig) -> np.ndarray:
    """Draw images [k, count, 64, 64] in (0, 1): of the one class, or of each."""
    labels = range(len(CLASSES)) if config.label is None else (config.label,)
    seed = derive(config.seed, "images")
    drawn = [gan.sample(generator, config.count, label=label, seed=seed) for label in labels]
    images: np.ndarray = torch.stack(drawn).cpu().numpy().astype(np.float16)
    return images


GENERATOR = TaskKind("generator", _synthesize, gpu=True)
