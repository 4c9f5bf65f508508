"""The kinds of generators: how each is built, trained, sampled and exported.

A new kind is one more row of `KINDS`; presets (`training.presets`) name the kind that they train.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from lesion.errors import RunError
from training.networks import acgan, gan
from training.networks.architectures import Discriminator, Generator, OneClassGenerator
from training.networks.gan import TrainedGan
from training.settings import GanSettings


@dataclass(frozen=True, slots=True)
class GeneratorKind:
    """How one kind of generator is built, trained, sampled and exported.

    `title` is what a report calls it. With `per_class` each class has a network of its own, which
    sees nothing of the others. `build(settings, classes=)` makes it untrained, for so many classes;
    `train(data, settings, seed=, log=, picture=)` trains it; `sample(generator, count, label=,
    seed=)` draws images in (0, 1); `of_class(generator, label)` is the network z -> image in (-1,
    1) that is exported. `classify` is there where the discriminator names classes: images ->
    logits.
    """

    title: str
    per_class: bool
    build: Callable[..., Generator]
    train: Callable[..., TrainedGan]
    sample: Callable[..., Tensor] = gan.sample
    of_class: Callable[[Generator, int], nn.Module] = OneClassGenerator
    classify: Callable[[Discriminator, Tensor], Tensor] | None = None


KINDS = {
    "dcgan": GeneratorKind(
        "DCGAN",
        per_class=True,
        build=gan.build_generator,
        train=gan.train_adversarial,
    ),
    "acgan": GeneratorKind(
        "ACGAN",
        per_class=False,
        build=partial(gan.build_generator, labels="named"),
        train=acgan.train,
        classify=acgan.classify,
    ),
    "conditional": GeneratorKind(
        "small-data GAN",
        per_class=False,
        build=partial(gan.build_generator, labels="told"),
        train=partial(gan.train_adversarial, labels="told"),
    ),
}


def kind_of(settings: GanSettings) -> GeneratorKind:
    """Return a preset's kind; raise `RunError` where there is none of that name."""
    if settings.kind not in KINDS:
        raise RunError(f"found the generator {settings.kind!r}, expected one of {', '.join(KINDS)}")
    return KINDS[settings.kind]
