"""Settings of what is trained, in frozen dataclasses; the defaults are the paper's where it says.

`training.presets` puts them together; a run saves its own beside its outputs. What later work found
for small data is a field each, off by default.
"""

from dataclasses import dataclass, field
from typing import Literal

Upsampling = Literal["transposed", "resize"]
Kernel = Literal[4, 5]


@dataclass(frozen=True, slots=True)
class GanSettings:
    """A generator and its discriminator (paper 3.2); silent points are the preprint's."""

    #: Which of `training.networks.generators.KINDS`.
    kind: str = "dcgan"
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
    #: Compute in brain floating point, where the device has it: twice as fast.
    bfloat16: bool = True


@dataclass(frozen=True, slots=True)
class CnnSettings:
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
    #: Compute in brain floating point, where the device has it: twice as fast.
    bfloat16: bool = True


@dataclass(frozen=True, slots=True)
class SvmSettings:
    """The support vector machine that every baseline ends in. The paper says no more than "SVM".

    Inner cross-validation on the training lesions chooses among these.
    """

    inner_folds: int = 5
    #: Penalty C of a training error.
    costs: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    kernels: tuple[Literal["linear", "rbf"], ...] = ("linear", "rbf")


@dataclass(frozen=True, slots=True)
class BovwSettings:
    """The bag of visual words with mutual information (paper 4.5; Diamant et al. 2017).

    `single_words` and `multi_words` stand as the paper's counts: 35 % of 750 rounded down, 3 %
    rounded up.
    """

    patch: int = 11
    components: int = 10
    words: int = 750
    single_words: int = 262
    multi_words: int = 23
    #: Pixels between neighbouring patches; the paper does not say.
    stride: int = 2
    #: Most patches that the dictionary is learned from: a random sample of the training lesions'.
    sampled: int = 30_000


@dataclass(frozen=True, slots=True)
class BaselineSettings:
    """What came before networks (4.5), `training.reproduction.baselines.METHODS`."""

    svm: SvmSettings = field(default_factory=SvmSettings)
    bovw: BovwSettings = field(default_factory=BovwSettings)
