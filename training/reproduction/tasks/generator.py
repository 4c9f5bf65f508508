"""Train a generator on one training part and draw its synthetic lesions (paper 3.2, 3.3, 4.2.2).

Where its discriminator names classes, its logits of the held-out lesions are kept, too.

The images are kept, not the weights: classifiers, galleries and quality measures all start from the
same ones, and of a larger group of them the first are the smaller group (D_synth 1 is part of
D_synth 2, and so on).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from training.data import datasets
from training.data.datasets import Scaling
from training.data.splits import Split, split_patches
from training.data.training_sets import Sources, TrainingSet, build
from training.networks.devices import select_device
from training.networks.generators import kind_of
from training.networks.training_log import NoTrainingLog
from training.phantom.classes import CLASSES
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.tasks.cohort import from_arrays
from training.seeds import derive
from training.settings import GanSettings


@dataclass(frozen=True, slots=True)
class GeneratorConfig:
    """A generator to fit on the training part's best classic group, and `count` images a class.

    Of kinds that are trained per class it is fitted for one, `label`.
    """

    gan: GanSettings
    split: Split
    classic_per_fold: int
    count: int
    seed: int
    scaling: Scaling = "window"
    label: int | None = None


def _synthesize(config: GeneratorConfig, inputs: Mapping[str, Arrays]) -> Arrays:
    device, kind = select_device(), kind_of(config.gan)
    patches = from_arrays(inputs["cohort"])
    chosen, held_out = split_patches(config.split, patches)
    wanted = TrainingSet(config.classic_per_fold)
    data = build(wanted, Sources(patches), chosen, device=device, scaling=config.scaling)
    if config.label is not None:
        data = data.of_class(config.label)
    trained = kind.train(data, config.gan, seed=config.seed, log=NoTrainingLog())
    labels = range(len(CLASSES)) if config.label is None else (config.label,)
    seed = derive(config.seed, "images")
    drawn = [kind.sample(trained.generator, config.count, label=k, seed=seed) for k in labels]
    images = torch.stack(drawn).cpu().numpy().astype(np.float16)
    if kind.classify is None:
        return {"images": images}
    own = datasets.originals(patches, held_out, device=device, scaling=config.scaling)
    logits = kind.classify(trained.discriminator, own.images).numpy()
    return {"images": images, "rows": np.flatnonzero(held_out), "logits": logits}


GENERATOR = TaskKind("generator", _synthesize, gpu=True)
