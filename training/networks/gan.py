"""Train a DCGAN (paper 3.2): generator and discriminator, in turns."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from lesion.bundle import LATENT_SIZE
from training.data.datasets import Labelled
from training.networks.architectures import Discriminator, Generator
from training.networks.cuda_graphs import BatchSampler, CapturedStep, ema_update, make_adam
from training.networks.devices import autocast, to_device
from training.networks.diffaugment import differentiable_augmentation
from training.networks.losses import discriminator_loss, generator_loss, judge
from training.networks.training_log import TrainingLog
from training.seeds import derive
from training.settings import GanSettings

#: What the classes are for: nothing; both networks are told them (Mirza and Osindero 2014); or the
#: generator is told them, and the discriminator is to name them (ACGAN, Odena et al. 2017).
Labels = Literal["unused", "told", "named"]

_SETTLING_BATCHES = 50
_PICTURES = 10


@dataclass(frozen=True, slots=True)
class TrainedGan:
    """A generator, and the discriminator that it was trained against, ready for use."""

    generator: Generator
    discriminator: Discriminator


def train_adversarial(
    data: Labelled,
    settings: GanSettings,
    *,
    labels: Labels = "unused",
    seed: int,
    log: TrainingLog,
    picture: Callable[[Generator], None] | None = None,
) -> TrainedGan:
    """Train a generator and the discriminator that it is to deceive; what for, `labels` says.

    `picture`, if there is one, is shown the generator now and then. Same arguments, same machine:
    same weights, interrupted or not, pictured or not.
    """
    device = data.images.device
    images, class_labels = data.images * 2 - 1, None if labels == "unused" else data.labels
    torch.manual_seed(derive(seed, "weights"))
    generator = to_device(build_generator(settings, classes=data.classes, labels=labels), device)
    discriminator = to_device(_build_discriminator(settings, data.classes, labels), device)
    average = deepcopy(generator)
    adam_g = make_adam(generator, rate=settings.learning_rate, beta1=settings.beta1)
    adam_d = make_adam(
        discriminator, rate=settings.discriminator_learning_rate, beta1=settings.beta1
    )
    parts = {"g": generator, "d": discriminator, "average": average, "adam_g": adam_g}
    parts["adam_d"] = adam_d

    see = differentiable_augmentation if settings.differentiable_augmentation else nn.Identity()
    sampler, losses = BatchSampler(len(images), device), torch.zeros(2, device=device)

    def step(count: int) -> None:
        batch = sampler.next_batch(count)
        real = images[batch].unsqueeze(1)
        label = None if class_labels is None else class_labels[batch]

        # Maximize D(x) for real images and minimize it for synthetic ones (equation 1): L_S. An
        # ACGAN's discriminator maximizes L_S + L_C, the latter too over both (Odena et al. 2017).
        with autocast(device, enabled=settings.bfloat16):
            fake = generator(latent(len(real), device), label)
            judged_real, misnamed_real = judge(discriminator, see(real), label)
            judged_fake, misnamed_fake = judge(discriminator, see(fake.detach()), label)
        loss_d = discriminator_loss(judged_real, judged_fake, hinge=settings.hinge)
        loss_d = loss_d + misnamed_real + misnamed_fake
        _descend(adam_d, loss_d)

        # In an ACGAN this stands for L_C - L_S.
        discriminator.requires_grad_(requires_grad=False)
        with autocast(device, enabled=settings.bfloat16):
            judged_fake, misnamed_fake = judge(discriminator, see(fake), label)
        loss_g = generator_loss(judged_fake, hinge=settings.hinge) + misnamed_fake
        _descend(adam_g, loss_g)
        discriminator.requires_grad_(requires_grad=True)

        ema_update(average, generator, decay=settings.ema)
        losses.add_(torch.stack([loss_d.detach(), loss_g.detach()]))

    steps = CapturedStep(step, device)
    batches = [min(settings.batch, len(images))] * _batches(settings, len(images))
    last = epochs(settings, len(images))
    updates = last * len(batches) if settings.updates is None else settings.updates
    for epoch in range(log.resume(parts), last):
        torch.manual_seed(derive(seed, "epoch", epoch))
        sampler.shuffle()
        losses.zero_()
        these = batches[: updates - epoch * len(batches)]
        if epoch == 0:  # the average starts from the first update
            steps.run(these[:1])
            average.load_state_dict(generator.state_dict())
        steps.run(these[1:] if epoch == 0 else these)
        mean_d, mean_g = (losses / len(these)).tolist()
        if picture and (epoch + 1) % max(1, last // _PICTURES) == 0:
            picture(recalibrate_batchnorm(deepcopy(average), batch=settings.batch))
        log.record(epoch + 1, {"discriminator": mean_d, "generator": mean_g}, parts)
    torch.manual_seed(derive(seed, "settle"))
    return TrainedGan(recalibrate_batchnorm(average, batch=settings.batch), discriminator.eval())


def epochs(settings: GanSettings, size: int) -> int:
    """Count the epochs that training on `size` images takes; `updates` may cut the last one."""
    if settings.updates is None:
        return settings.epochs
    return math.ceil(settings.updates / _batches(settings, size))


def _batches(settings: GanSettings, size: int) -> int:
    """Count an epoch's batches: whole ones alone, whose statistics are as good as any other's."""
    return max(1, size // settings.batch)


def build_generator(settings: GanSettings, *, classes: int, labels: Labels = "unused") -> Generator:
    """Make the settings' generator, untrained."""
    return Generator(
        width=settings.width,
        upsampling=settings.upsampling,
        classes=0 if labels == "unused" else classes,
        noise=settings.noise,
    )


def _build_discriminator(settings: GanSettings, classes: int, labels: Labels) -> Discriminator:
    """Make the settings' discriminator; an ACGAN's is not told the class that it is to name."""
    return Discriminator(
        width=settings.discriminator_width,
        kernel=settings.discriminator_kernel,
        spectral=settings.spectral,
        classes=classes if labels == "told" else 0,
        auxiliary=classes if labels == "named" else 0,
    )


def latent(count: int, device: torch.device) -> Tensor:
    """Draw z [count, 100] uniformly from [-1, 1].

    At synthesis as in training: the paper says "normal" there, which its generator never saw.
    """
    return torch.rand(count, LATENT_SIZE, device=device) * 2 - 1


@torch.no_grad()
def recalibrate_batchnorm(generator: Generator, *, batch: int) -> Generator:
    """Measure batch normalization's statistics for the final weights; return it ready for use.

    Running averages lag behind, and an average of weights has statistics of its own.
    """
    device = next(generator.parameters()).device
    with batchnorm_statistics(generator):
        for _ in range(_SETTLING_BATCHES):
            classes = generator.classes
            labels = torch.randint(classes, (batch,), device=device) if classes else None
            generator(latent(batch, device), labels)
    return generator


@contextmanager
def batchnorm_statistics(network: nn.Module) -> Iterator[None]:
    """Take batch normalization's statistics from what runs through `network` inside; no others."""
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over all batches
    network.train()
    yield
    network.eval()


@torch.no_grad()
def sample(generator: Generator, count: int, *, label: int, seed: int) -> Tensor:
    """Synthesize images [count, 64, 64] in (0, 1); `label` matters to a conditional generator."""
    device = next(generator.parameters()).device
    torch.manual_seed(derive(seed, "sample", label))
    images = []
    for z in latent(count, device).split(256):
        labels = torch.full((len(z),), label, device=device) if generator.classes else None
        images.append((generator(z, labels).squeeze(1) + 1) / 2)
    return torch.cat(images)


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
