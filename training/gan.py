"""Train a DCGAN (paper 3.2): generator and discriminator, in turns."""

from collections.abc import Callable
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from lesion.bundle import LATENT_SIZE
from lesion.classes import CLASSES
from training.datasets import Labelled
from training.devices import autocast, place
from training.diffaugment import differentiable_augmentation
from training.networks import Discriminator, Generator
from training.presets import GanPreset
from training.seeds import derive
from training.stage import Recorder

_SETTLING_BATCHES = 50
_PICTURES = 10


def train(
    data: Labelled,
    preset: GanPreset,
    *,
    seed: int,
    journal: Recorder,
    picture: Callable[[Generator], None] = lambda _: None,
) -> Generator:
    """Train on `data` and return the generator; a conditional one learns the labels too.

    `picture` is shown the generator now and then. Same arguments, same machine: same weights,
    interrupted or not.
    """
    device = data.images.device
    images, labels = data.images * 2 - 1, data.labels if preset.conditional else None
    torch.manual_seed(derive(seed, "weights"))
    generator = place(build_generator(preset), device)
    discriminator = place(
        Discriminator(
            width=preset.discriminator_width,
            kernel=preset.discriminator_kernel,
            spectral=preset.spectral,
            classes=generator.classes,
        ),
        device,
    )
    average = AveragedModel(
        generator, multi_avg_fn=get_ema_multi_avg_fn(preset.ema), use_buffers=True
    )
    averaged = cast("Generator", average.module)
    betas = (preset.beta1, 0.999)
    adam_g = torch.optim.Adam(generator.parameters(), lr=preset.learning_rate, betas=betas)
    adam_d = torch.optim.Adam(
        discriminator.parameters(), lr=preset.discriminator_learning_rate, betas=betas
    )
    parts = {"g": generator, "d": discriminator, "average": average, "adam_g": adam_g}
    parts["adam_d"] = adam_d

    see = differentiable_augmentation if preset.differentiable_augmentation else torch.nn.Identity()
    steps = max(1, len(images) // preset.batch)
    for epoch in range(journal.resume(parts), preset.epochs):
        torch.manual_seed(derive(seed, "epoch", epoch))
        losses = torch.zeros(2, device=device)
        shuffled = torch.randperm(len(images), device=device)[: steps * preset.batch]
        for batch in shuffled.chunk(steps):
            real = images[batch].unsqueeze(1)
            label = None if labels is None else labels[batch]

            # Maximize D(x) for real images and minimize it for synthetic ones (equation 1).
            with autocast(device, enabled=preset.bfloat16):
                fake = generator(latent(len(real), device), label)
                judged_real = discriminator(see(real), label).float()
                judged_fake = discriminator(see(fake.detach()), label).float()
            loss_d = _discriminator_loss(judged_real, judged_fake, hinge=preset.hinge)
            adam_d.zero_grad(set_to_none=True)
            loss_d.backward()
            adam_d.step()

            # The generator maximizes log D(G(z)): equation 1's own term has no gradient where D
            # is sure, so Radford et al. train with this one.
            discriminator.requires_grad_(requires_grad=False)
            with autocast(device, enabled=preset.bfloat16):
                judged_fake = discriminator(see(fake), label).float()
            loss_g = -judged_fake.mean() if preset.hinge else softplus(-judged_fake).mean()
            adam_g.zero_grad(set_to_none=True)
            loss_g.backward()
            adam_g.step()
            discriminator.requires_grad_(requires_grad=True)

            average.update_parameters(generator)
            losses += torch.stack([loss_d.detach(), loss_g.detach()])
        mean_d, mean_g = (losses / steps).tolist()
        if (epoch + 1) % max(1, preset.epochs // _PICTURES) == 0:
            picture(settle(deepcopy(averaged), batch=preset.batch))
        journal.record(epoch + 1, {"discriminator": mean_d, "generator": mean_g}, parts)
    torch.manual_seed(derive(seed, "settle"))
    return settle(averaged, batch=preset.batch)


def build_generator(preset: GanPreset) -> Generator:
    """Make a preset's generator, untrained."""
    classes = len(CLASSES) if preset.conditional else 0
    return Generator(
        width=preset.width, upsampling=preset.upsampling, classes=classes, noise=preset.noise
    )


def latent(count: int, device: torch.device) -> Tensor:
    """Draw z [count, 100] uniformly from [-1, 1].

    At synthesis as in training: the paper says "normal" there, which its generator never saw.
    """
    return torch.rand(count, LATENT_SIZE, device=device) * 2 - 1


@torch.no_grad()
def settle(generator: Generator, *, batch: int) -> Generator:
    """Measure batch normalization's statistics for the final weights; return it ready for use.

    Running averages lag behind, and an average of weights has statistics of its own.
    """
    device = next(generator.parameters()).device
    for layer in generator.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # a plain mean over all batches
    generator.train()
    for _ in range(_SETTLING_BATCHES):
        labels = torch.randint(len(CLASSES), (batch,), device=device)
        generator(latent(batch, device), labels if generator.classes else None)
    return generator.eval()


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


def _discriminator_loss(real: Tensor, fake: Tensor, *, hinge: bool) -> Tensor:
    if hinge:
        return relu(1 - real).mean() + relu(1 + fake).mean()
    return softplus(-real).mean() + softplus(fake).mean()
