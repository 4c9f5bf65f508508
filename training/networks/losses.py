"""Losses of generator and discriminator: equation 1 in the form that trains, and the hinge loss."""

from torch import Tensor
from torch.nn.functional import cross_entropy, relu, softplus

from training.networks.architectures import Discriminator


def judge(
    discriminator: Discriminator, image: Tensor, label: Tensor | None
) -> tuple[Tensor, Tensor | float]:
    """Return the logits of being real, and what an ACGAN loses by misnaming the class: -L_C."""
    maps = discriminator.maps(image)
    real = discriminator.realness(maps, label).float()
    if discriminator.scores is None or label is None:
        return real, 0.0
    return real, cross_entropy(discriminator.classify(maps).float(), label)


def discriminator_loss(real: Tensor, fake: Tensor, *, hinge: bool) -> Tensor:
    """Return what the discriminator minimizes: equation 1, or the hinge loss (Lim and Ye 2017)."""
    if hinge:
        return relu(1 - real).mean() + relu(1 + fake).mean()
    return softplus(-real).mean() + softplus(fake).mean()


def generator_loss(fake: Tensor, *, hinge: bool) -> Tensor:
    """Return what the generator minimizes.

    Equation 1's own term has no gradient where the discriminator is sure, so Radford et al. 2016
    maximize log D(G(z)).
    """
    return -fake.mean() if hinge else softplus(-fake).mean()
