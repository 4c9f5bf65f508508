"""Train the classifier (paper 2.2) and read out what it says."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from training.data.datasets import Labelled
from training.networks.architectures import Classifier
from training.networks.cuda_graphs import BatchSampler, CapturedStep, Nesterov
from training.networks.devices import autocast, to_device
from training.networks.training_log import TrainingLog
from training.seeds import derive
from training.settings import CnnSettings

_READ_BATCH = 512


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """A classifier in evaluation mode, and the mean of its training images (paper 2.2).

    `mean` is a scalar; the network expects it to be subtracted.
    """

    network: Classifier
    mean: float


@dataclass(frozen=True, slots=True)
class ClassifierOutputs:
    """What a classifier says: logits [n, c] and features [n, 256], float32 on the CPU."""

    logits: Tensor
    features: Tensor


def train(
    data: Labelled, settings: CnnSettings, *, seed: int, log: TrainingLog
) -> TrainedClassifier:
    """Train on `data` and keep the last weights.

    Same arguments, same machine: same weights, interrupted or not.
    """
    images, labels, device = data.images, data.labels, data.images.device
    torch.manual_seed(derive(seed, "weights"))
    network = to_device(Classifier(data.classes, dropout=settings.dropout), device).train()
    mean = images.mean(dtype=torch.float32)
    batches = [len(part) for part in images.split(settings.batch)]
    updates = settings.epochs * len(batches) if settings.updates is None else settings.updates
    rates = torch.tensor(_rates(settings, updates), dtype=torch.float32, device=device)
    optimizer = Nesterov(network, rates, weight_decay=settings.weight_decay)
    parts = {"network": network, "optimizer": optimizer}
    sampler, total = BatchSampler(len(images), device), torch.zeros((), device=device)

    def step(count: int) -> None:
        batch = sampler.next_batch(count)
        with autocast(device, enabled=settings.bfloat16):
            logits = network((images[batch] - mean).unsqueeze(1))
        loss = cross_entropy(logits.float(), labels[batch])
        network.zero_grad()
        loss.backward()
        optimizer.step()
        total.add_(loss.detach())

    steps = CapturedStep(step, device)
    for epoch in range(log.resume(parts), epochs(settings, len(images))):
        torch.manual_seed(derive(seed, "epoch", epoch))
        sampler.shuffle()
        total.zero_()
        these = batches[: updates - epoch * len(batches)]
        steps.run(these)
        log.record(epoch + 1, {"loss": (total / len(these)).item()}, parts)
    return TrainedClassifier(network.eval(), mean.item())


def epochs(settings: CnnSettings, size: int) -> int:
    """Count the epochs that training on `size` images takes; `updates` may cut the last one."""
    if settings.updates is None:
        return settings.epochs
    return math.ceil(settings.updates / math.ceil(size / settings.batch))


@torch.no_grad()
def predict(trained: TrainedClassifier, images: Tensor) -> ClassifierOutputs:
    """Run images [n, 64, 64] in (0, 1) through the network, without bfloat16, as it is exported."""
    logits, features = [], []
    for batch in images.split(_READ_BATCH):
        maps = trained.network.maps((batch.float() - trained.mean).unsqueeze(1))
        features.append(trained.network.features(maps))
        logits.append(trained.network.scores(features[-1]))
    return ClassifierOutputs(torch.cat(logits).cpu(), torch.cat(features).cpu())


def _rates(settings: CnnSettings, updates: int) -> list[tuple[float, float]]:
    """Return the learning rate and the momentum of each update."""
    if settings.schedule == "constant":
        return [(settings.learning_rate, settings.momentum)] * updates
    optimizer = SGD([torch.zeros(1)], lr=settings.learning_rate, momentum=settings.momentum)
    schedule = OneCycleLR(optimizer, max_lr=settings.learning_rate, total_steps=updates)
    rates = []
    for _ in range(updates):
        (group,) = optimizer.param_groups
        rates.append((group["lr"], group["momentum"]))
        optimizer.step()
        schedule.step()
    return rates
