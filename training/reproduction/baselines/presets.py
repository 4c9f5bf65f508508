"""What the baselines do, in frozen dataclasses; by default as the paper (4.5), where it says."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class SvmPreset:
    """The support vector machine that every baseline ends in. The paper says no more than "SVM".

    Inner cross-validation on the training lesions chooses among these.
    """

    inner_folds: int = 5
    #: Penalty C of a training error.
    costs: tuple[float, ...] = (0.01, 0.1, 1.0, 10.0, 100.0)
    kernels: tuple[Literal["linear", "rbf"], ...] = ("linear", "rbf")


@dataclass(frozen=True, slots=True)
class BovwPreset:
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
class BaselinePreset:
    """All that a method of `training.baselines.METHODS` needs."""

    svm: SvmPreset = field(default_factory=SvmPreset)
    bovw: BovwPreset = field(default_factory=BovwPreset)


PAPER = BaselinePreset()
SMOKE = BaselinePreset(
    svm=SvmPreset(inner_folds=2, costs=(1.0,), kernels=("rbf",)),
    bovw=BovwPreset(words=40, single_words=14, multi_words=4, stride=6, sampled=2000),
)
