"""Train the classifier (paper 2.2) and read out what it says."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import ConstantLR, LRScheduler, OneCycleLR

from training.datasets import Labelled
from training.devices import autocast, place
from training.networks import Classifier
from training.presets import CnnPreset
from training.seeds import derive
from training.stage import Recorder

_READ_BATCH = 512


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier in evaluation mode, and the mean of its training images (paper 2.2).

    `mean` is a scalar; the network expects it to be subtracted.
    """

    network: Classifier
    mean: float


@dataclass(frozen=True, slots=True)
class Readout:
    """What a classifier says: logits [n, 3] and features [n, 256], float32 on the CPU."""

    logits: Tensor
    features: Tensor


def train(data: Labelled, preset: CnnPreset, *, seed: int, journal: Recorder) -> TrainedClassifier:
    """Train on `data` and keep the last epoch's weights.

    Same arguments, same machine: same weights, interrupted or not.
    """
    images, labels, device = data.images, data.labels, data.images.device
    torch.manual_seed(derive(seed, "weights"))
    network = place(Classifier(dropout=preset.dropout), device).train()
    mean = images.mean(dtype=torch.float32)
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=preset.learning_rate,
        momentum=preset.momentum,
        weight_decay=preset.weight_decay,
        nesterov=True,
    )
    steps = -(-len(images) // preset.batch)
    schedule = _schedule(optimizer, preset, steps)
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule}

    for epoch in range(journal.resume(parts), preset.epochs):
        torch.manual_seed(derive(seed, "epoch", epoch))
        total = torch.zeros((), device=device)
        for batch in torch.randperm(len(images), device=device).split(preset.batch):
            with autocast(device, enabled=preset.bfloat16):
                logits = network((images[batch] - mean).unsqueeze(1))
            loss = cross_entropy(logits.float(), labels[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach()
        journal.record(epoch + 1, {"loss": (total / steps).item()}, parts)
    return TrainedClassifier(network.eval(), mean.item())


@torch.no_grad()
def read(trained: TrainedClassifier, images: Tensor) -> Readout:
    """Run images [n, 64, 64] in (0, 1) through the network, without bfloat16, as it is exported."""
    logits, features = [], []
    for batch in images.split(_READ_BATCH):
        maps = trained.network.maps((batch.float() - trained.mean).unsqueeze(1))
        features.append(trained.network.features(maps))
        logits.append(trained.network.scores(features[-1]))
    return Readout(torch.cat(logits).cpu(), torch.cat(features).cpu())


def _schedule(optimizer: torch.optim.Optimizer, preset: CnnPreset, steps: int) -> LRScheduler:
    if preset.schedule == "constant":
        return ConstantLR(optimizer, factor=1.0, total_iters=0)
    return OneCycleLR(
        optimizer, max_lr=preset.learning_rate, epochs=preset.epochs, steps_per_epoch=steps
    )
