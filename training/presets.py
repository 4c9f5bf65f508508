"""The presets: what a run does, in frozen dataclasses; a run saves its own beside its outputs.

`paper` is the paper's own recipe, for a GPU. The others are the same code, smaller, with what later
work found for small data; each such field is off in `paper`. Group sizes are the paper's way of
counting: samples added per fold (4.2), trained on two.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from training.data.augment import Augmentation
from training.networks.architectures import Kernel, Upsampling

#: HU of a bundle's networks: from fat to well-enhanced vessels. Rescaled to (0,1), or to (-1,1) for
#: the generator.
HU_WINDOW = (-150.0, 250.0)


@dataclass(frozen=True, slots=True)
class GanPreset:
    """A DCGAN (paper 3.2). The defaults are the paper's, or its preprint's where it is silent."""

    width: int = 1024
    discriminator_width: int = 64
    epochs: int = 70
    #: Train for so many updates in place of `epochs`, whatever the size of the set: few epochs of
    #: a small one are too few updates. Epochs go on until they are done; the last is cut short.
    updates: int | None = None
    batch: int = 64
    learning_rate: float = 0.0002
    #: Two time-scales (Heusel et al. 2017): a discriminator that is held back may learn faster.
    discriminator_learning_rate: float = 0.0002
    beta1: float = 0.5
    #: One network for all classes instead of one per class (Mirza and Osindero 2014): a third of
    #: the work.
    conditional: bool = False
    #: Resize-convolutions against checkerboards (Odena et al. 2016).
    upsampling: Upsampling = "transposed"
    #: White noise at every size of the generator, drawn from z (Karras et al. 2019).
    noise: bool = False
    #: Spectral norm in the discriminator in place of batch norm (Miyato et al. 2018).
    spectral: bool = False
    #: Windows of the discriminator; 4 spares the generator a fine mesh (Odena et al. 2016).
    discriminator_kernel: Kernel = 5
    #: Hinge loss (Lim and Ye 2017) in place of the non-saturating one.
    hinge: bool = False
    #: Differentiable augmentation of what the discriminator sees (Zhao et al. 2020).
    differentiable_augmentation: bool = False
    #: Decay of the exponential moving average of the generator's weights (Karras et al. 2018); 0 is
    #: off.
    ema: float = 0.0
    #: Compute in brain floating point: twice as fast where the processor has it.
    bfloat16: bool = True


@dataclass(frozen=True, slots=True)
class CnnPreset:
    """The classifier's training (paper 2.2).

    Momentum 0.9 is Keras's usual Nesterov setting; the paper states none.
    """

    epochs: int = 150
    #: Train for so many updates in place of `epochs`, whatever the size of the set: the control
    #: that the paper lacks. Epochs go on until they are done; the last is cut short.
    updates: int | None = None
    batch: int = 64
    learning_rate: float = 0.001
    momentum: float = 0.9
    weight_decay: float = 0.0
    dropout: float = 0.5
    #: One cycle of the learning rate (Smith 2018) in place of a constant one: it cuts the spread
    #: between runs. Momentum then cycles too, from 0.95 to 0.85 and back, whatever is set above.
    schedule: Literal["constant", "onecycle"] = "constant"
    #: Compute in brain floating point: twice as fast where the processor has it.
    bfloat16: bool = True


@dataclass(frozen=True, slots=True)
class Preset:
    """A whole run: augmentation, group sizes, generator, classifier."""

    name: str
    augmentation: Augmentation = field(default_factory=Augmentation)
    #: Classic augmentations added per fold: the paper's point of saturation (4.2.1).
    classic_per_fold: int = 5000
    #: Synthetic lesions of each class added per fold: the paper's best (4.2.2).
    synthetic_per_class_per_fold: int = 1000
    #: Cross-validated generators, and those of the final fit, which a bundle carries.
    fold_gan: GanPreset = field(default_factory=GanPreset)
    final_gan: GanPreset = field(default_factory=GanPreset)
    cnn: CnnPreset = field(default_factory=CnnPreset)
    #: Train the arm without augmentation for as many updates as the classic one. The paper does
    #: not, so part of what its augmentation gains is updates; with few epochs nothing would be
    #: left. The synthetic arm has more images, and so still gets more updates.
    equal_updates: bool = True


#: What later work found for small data.
_SMALL_DATA = GanPreset(
    discriminator_learning_rate=0.0004,
    discriminator_width=32,
    upsampling="resize",
    noise=True,
    spectral=True,
    hinge=True,
    differentiable_augmentation=True,
    conditional=True,
)

_ONE_CYCLE = CnnPreset(epochs=6, learning_rate=0.02, weight_decay=0.0005, schedule="onecycle")

SMOKE = Preset(
    name="smoke",
    augmentation=Augmentation(rotations=1, translations=1, scales=1),
    classic_per_fold=24,
    synthetic_per_class_per_fold=8,
    fold_gan=GanPreset(width=16, discriminator_width=8, epochs=1, batch=8, conditional=True),
    final_gan=GanPreset(width=16, discriminator_width=8, epochs=1, batch=8),
    cnn=CnnPreset(epochs=2),
)
QUICK = Preset(
    name="quick",
    augmentation=Augmentation(rotations=6, translations=3, scales=2),
    classic_per_fold=2000,
    synthetic_per_class_per_fold=500,
    fold_gan=replace(_SMALL_DATA, width=128, discriminator_width=24, epochs=5, ema=0.99),
    final_gan=replace(_SMALL_DATA, width=128, discriminator_width=24, epochs=8, ema=0.99),
    cnn=_ONE_CYCLE,
)
#: What `models/default` is made with. One conditional network: the classes share liver, vessels and
#: noise, and at the same cost its weights see three times the lesions of one per class. In the
#: final fit the generator learns four times as slowly as its discriminator: at half the rate a
#: discriminator that two cores can bear falls behind, and what it cannot see is not learned.
RELEASE = Preset(
    name="release",
    fold_gan=replace(_SMALL_DATA, width=128, discriminator_width=24, epochs=7, ema=0.995),
    final_gan=replace(
        _SMALL_DATA,
        width=128,
        discriminator_width=48,
        discriminator_kernel=4,
        learning_rate=0.0001,
        epochs=45,
        ema=0.999,
    ),
    cnn=_ONE_CYCLE,
)
PAPER = Preset(name="paper", equal_updates=False)

PRESETS = {preset.name: preset for preset in (SMOKE, QUICK, RELEASE, PAPER)}
