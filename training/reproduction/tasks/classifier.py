"""Train a classifier on one training set, and keep what it says of lesions that it never saw.

Held out lesions of its own cohort, and any further lesions that are given to it to judge: fresh
ones, another phase's, synthetic ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.data import datasets
from training.data.datasets import Scaling
from training.data.splits import Split, split_patches
from training.data.training_sets import TrainingSet, build
from training.networks import classifier
from training.networks.devices import select_device
from training.networks.training_log import NoTrainingLog
from training.pipeline import train_networks
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.tasks.cohort import from_arrays
from training.reproduction.tasks.synthetic_images import sources
from training.settings import CnnSettings

#: Roles whose lesions are only judged: patches in HU, or images in (0, 1).
JUDGED = "judged-"

#: A lesion as it is, and its three flips (paper 3.1): axes to turn round.
VIEWS: tuple[tuple[int, ...], ...] = ((), (-1,), (-2,), (-2, -1))


@dataclass(frozen=True, slots=True)
class Keep:
    """What to keep of what a classifier says, besides logits.

    `features`: its last hidden layer, and of held-out lesions that of the first `variants`
    augmentations too (the paper's Fig. 9). `views`: logits averaged over so many of a lesion's
    `VIEWS` (test-time augmentation). `ood_score`: the out-of-distribution score that a bundle would
    give, fitted on the training part.
    """

    features: bool = False
    variants: int = 0
    views: int = 0
    ood_score: bool = False


@dataclass(frozen=True, slots=True)
class ClassifierConfig:
    """A classifier to train."""

    split: Split
    data: TrainingSet
    preset: CnnSettings
    seed: int
    scaling: Scaling = "window"
    keep: Keep = Keep()


def _train(config: ClassifierConfig, inputs: Mapping[str, Arrays]) -> Arrays:
    device, keep = select_device(), config.keep
    patches = from_arrays(inputs["cohort"])
    chosen, held_out = split_patches(config.split, patches)
    data = build(config.data, sources(inputs), chosen, device=device, scaling=config.scaling)
    trained = classifier.train(data, config.preset, seed=config.seed, log=NoTrainingLog())
    ood_score = train_networks.fit_ood_score(patches, chosen, trained) if keep.ood_score else None

    def read(hu: np.ndarray) -> classifier.ClassifierOutputs:
        unit = torch.from_numpy(datasets.rescale(np.asarray(hu), config.scaling))
        return classifier.predict(trained, unit.to(device))

    def keep_of(
        outputs: classifier.ClassifierOutputs, hu: np.ndarray | None, name: str
    ) -> dict[str, np.ndarray]:
        kept = {f"logits{name}": outputs.logits.numpy()}
        if keep.views and hu is not None:
            views = [outputs, *(read(np.flip(hu, axes)) for axes in VIEWS[1 : keep.views])]
            kept[f"logits{name}_views"] = torch.stack([v.logits for v in views]).mean(0).numpy()
        if keep.features:
            kept[f"features{name}"] = _half(outputs.features)
        if ood_score is not None and hu is not None:
            score = ood_score(outputs.features, torch.from_numpy(np.array(hu)))
            kept[f"ood_score{name}"] = score.numpy()
        return kept

    own = patches.originals[held_out]
    result = {"rows": np.flatnonzero(held_out)}
    if len(own):
        result |= keep_of(read(own), own, "")
    if keep.variants:
        varied = [read(patches.variants[held_out, v]).features for v in range(keep.variants)]
        result["features_variants"] = _half(torch.stack(varied, dim=1))
    for role in (name for name in inputs if name.startswith(JUDGED)):
        name = "_" + role.removeprefix(JUDGED)
        hu = inputs[role].get("originals")
        outputs = _images(trained, inputs[role]) if hu is None else read(hu)
        result |= keep_of(outputs, hu, name)
        some = inputs[role].get("variants", np.empty((0, 0)))[:, : keep.variants]
        if some.size:
            shape = some.shape[:2]
            varied_features = read(some.reshape(-1, *some.shape[2:])).features
            result[f"features{name}_variants"] = _half(varied_features.unflatten(0, shape))
    return result


def _images(trained: classifier.TrainedClassifier, arrays: Arrays) -> classifier.ClassifierOutputs:
    """Judge a generator's images, which are rescaled already, class by class."""
    images = np.concatenate(list(arrays["images"])).astype(np.float32)
    device = next(trained.network.parameters()).device
    return classifier.predict(trained, torch.from_numpy(images).to(device))


def _half(features: Tensor) -> np.ndarray:
    half: np.ndarray = features.numpy().astype(np.float16)
    return half


CLASSIFIER = TaskKind("classifier", _train, gpu=True)
