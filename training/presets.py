"""The presets: one family, read side by side.

A name stands for a *bundle*, what `train-export` trains, and a *grid*, how much of the paper
`reproduce` runs; some names have one of the two. Where they differ under one name, and why:

    training set    a bundle has one group of each kind; a grid draws curves over several
    networks        a grid trains hundreds, so its small ones train by updates, in small batches:
                    1200 of 16 cost what 400 of 64 do, after which a network of that size has not
                    even learned its training set (a DCGAN makes lesions after 1600 of 16)
    generators      a bundle has one kind, for its folds and for the final fit; a grid compares all

`paper` is the paper's own size on both sides, for a GPU. Group sizes count as the paper does (4.2):
samples added per fold, synthetic ones per class.
"""

from dataclasses import dataclass, field, replace

from training.data.augment import Augmentation
from training.data.datasets import Scaling
from training.data.training_sets import Arm
from training.settings import BaselineSettings, BovwSettings, CnnSettings, GanSettings, SvmSettings

#: D_aug 1 to 9 and D_synth 1 to 6 (4.2.1, 4.2.2).
PAPER_CLASSIC = (0, 500, 1000, 2000, 3000, 5000, 7500, 10000, 15000)
PAPER_SYNTHETIC = (100, 500, 1000, 2000, 3000, 4000)

#: All that the cohort-level test can do besides its claim.
FURTHER = (
    *("none", "conditional", "fewer", "mixup"),
    *("background_transfer", "composite", "normal_background"),
)


@dataclass(frozen=True, slots=True)
class BundlePreset:
    """What a bundle is trained with: augmentation, group sizes, generators, classifier."""

    name: str
    augmentation: Augmentation = field(default_factory=Augmentation)
    #: The training set of the shipped classifier; cross-validation tries it and those before it.
    arm: Arm = "gan"
    #: Classic augmentations added per fold: the paper's point of saturation (4.2.1).
    classic_per_fold: int = 5000
    #: Synthetic lesions of each class added per fold: the paper's best (4.2.2).
    synthetic_per_class_per_fold: int = 1000
    #: Cross-validated generators, and those of the final fit, which a bundle carries.
    fold_gan: GanSettings = field(default_factory=GanSettings)
    final_gan: GanSettings = field(default_factory=GanSettings)
    cnn: CnnSettings = field(default_factory=CnnSettings)
    #: Train the arm without augmentation for as many updates as the classic one. The paper does
    #: not, so part of what its augmentation gains is updates; with few epochs nothing would be
    #: left. The arm with synthetic lesions has more images, and so still gets more updates.
    equal_updates: bool = True


@dataclass(frozen=True, slots=True)
class CohortTest:
    """The primary claim with the cohort as the unit.

    `count` cohorts like the paper's; every arm is trained for `updates` updates and judges the same
    `test` fresh lesions. Each cohort's groups are chosen among `classic` and `synthetic` on
    `inner_folds` of its own folds, where there is a choice. The arm `upper_bound` has so many fresh
    lesions to train on.
    """

    count: int
    test: int
    upper_bound: int
    updates: int
    classic: tuple[int, ...]
    synthetic: tuple[int, ...]
    inner_folds: int = 1
    #: Of the first cohort's phantom; the others' follow it, and those of the lesions that are
    #: shared are ten and twenty thousand further.
    seed: int = 10_001
    #: Arms that are run besides the claim's own, of the analyses `cohorts` and `beyond`.
    further: tuple[str, ...] = FURTHER

    @property
    def seeds(self) -> range:
        """Seeds of the cohorts' phantoms."""
        return range(self.seed, self.seed + self.count)

    @property
    def upper_bound_seed(self) -> int:
        """Seed of the upper bound's lesions."""
        return self.seed + 10_000

    @property
    def fresh_seed(self) -> int:
        """Seed of the lesions that judge."""
        return self.seed + 20_000


@dataclass(frozen=True, slots=True)
class GridPreset:
    """All of the paper's experiments at one size. The defaults are the paper's."""

    name: str
    cohorts: CohortTest
    #: Generators to compare, one of a kind; the first is the arm `gan`'s, as the paper's is.
    gans: tuple[GanSettings, ...]
    #: Lesions of a phantom cohort: cysts, metastases, hemangiomas (2.1).
    counts: tuple[int, int, int] = (53, 64, 65)
    #: New cases for the green curve (4.2.2): 78 in all.
    new: tuple[int, int, int] = (26, 26, 26)
    augmentation: Augmentation = field(default_factory=Augmentation)
    classic: tuple[int, ...] = PAPER_CLASSIC
    synthetic: tuple[int, ...] = PAPER_SYNTHETIC
    repeats: int = 1
    #: With how many seeds the best arms' networks are trained on the same folds; 1 leaves it out.
    seeds: int = 1
    #: How many of the three inner folds the nested selection uses; 0 leaves it out.
    inner_folds: int = 3
    scaling: Scaling = "window"
    cnn: CnnSettings = field(default_factory=CnnSettings)
    #: Updates of every arm in the controls; None: as many as the best classic arm has.
    updates: int | None = None
    baseline: BaselineSettings = field(default_factory=BaselineSettings)
    #: Synthetic images of each class that nothing is trained on: for readers and measures.
    spare: int = 128
    #: Lesions of each kind that is none of the paper's classes.
    neighbours: int = 300

    @property
    def kinds(self) -> tuple[str, ...]:
        """The generators' kinds."""
        return tuple(gan.kind for gan in self.gans)


#: What later work found for small data; one network for all classes is a third of the work.
_SMALL_DATA = GanSettings(
    kind="conditional",
    discriminator_learning_rate=0.0004,
    discriminator_width=32,
    upsampling="resize",
    noise=True,
    spectral=True,
    hinge=True,
    differentiable_augmentation=True,
)
_ONE_CYCLE = CnnSettings(epochs=6, learning_rate=0.02, weight_decay=0.0005, schedule="onecycle")

# smoke: for tests; all of it, tiny.
_TINY = GanSettings(width=16, discriminator_width=8, epochs=1, batch=8)
_SMOKE_AUGMENTATION = Augmentation(rotations=1, translations=1, scales=1)
SMOKE_BUNDLE = BundlePreset(
    name="smoke",
    augmentation=_SMOKE_AUGMENTATION,
    classic_per_fold=24,
    synthetic_per_class_per_fold=8,
    fold_gan=replace(_TINY, kind="conditional"),
    final_gan=_TINY,
    cnn=CnnSettings(epochs=2),
)
SMOKE_GRID = GridPreset(
    name="smoke",
    cohorts=CohortTest(
        count=2, test=36, upper_bound=12, updates=4, classic=(0, 24), synthetic=(4, 8)
    ),
    gans=(_TINY, replace(_TINY, kind="acgan"), replace(_TINY, kind="conditional")),
    counts=(9, 9, 9),
    new=(3, 3, 3),
    augmentation=_SMOKE_AUGMENTATION,
    classic=(0, 24),
    synthetic=(4, 8),
    seeds=2,
    inner_folds=1,
    cnn=CnnSettings(updates=4, batch=16),
    updates=6,
    baseline=BaselineSettings(
        svm=SvmSettings(inner_folds=2, costs=(1.0,), kernels=("rbf",)),
        bovw=BovwSettings(words=40, single_words=14, multi_words=4, stride=6, sampled=2000),
    ),
    spare=16,
    neighbours=3,
)

# quick: for two processors; a first bundle in a quarter of an hour, the grid in an hour and a half.
_QUICK_GAN = replace(_SMALL_DATA, width=128, discriminator_width=24, epochs=5, ema=0.99)
QUICK_BUNDLE = BundlePreset(
    name="quick",
    augmentation=Augmentation(rotations=6, translations=3, scales=2),
    classic_per_fold=2000,
    synthetic_per_class_per_fold=500,
    fold_gan=_QUICK_GAN,
    final_gan=replace(_QUICK_GAN, epochs=8),
    cnn=_ONE_CYCLE,
)
QUICK_GRID = GridPreset(
    name="quick",
    cohorts=CohortTest(
        count=4, test=2000, upper_bound=1000, updates=2400, classic=(2000,), synthetic=(500,)
    ),
    gans=(
        GanSettings(width=64, discriminator_width=16, batch=16, updates=1600),
        GanSettings(
            kind="acgan",
            width=64,
            discriminator_width=16,
            batch=16,
            updates=2400,
            learning_rate=0.0001,
            discriminator_learning_rate=0.0001,
        ),
        replace(_QUICK_GAN, batch=16, updates=1200),
    ),
    augmentation=Augmentation(rotations=9, translations=3, scales=3),
    classic=(0, 2000, 5000),
    synthetic=(100, 500, 1000),
    inner_folds=1,
    cnn=replace(_ONE_CYCLE, batch=16, learning_rate=0.03, updates=1200),
    neighbours=100,
)

# cohorts: the primary claim on twenty cohorts, for a night; everything but the seeds is `quick`'s
# own, and found where that was run.
COHORTS_GRID = replace(
    QUICK_GRID,
    name="cohorts",
    cohorts=CohortTest(
        count=20,
        test=10_000,
        upper_bound=1000,
        updates=2400,
        classic=(2000, 5000),
        synthetic=(500,),
        further=("background_transfer", "composite", "normal_background"),
    ),
    seeds=5,
)

#: release: what `models/default` is made with. One conditional network: the classes share liver,
#: vessels and noise, and at the same cost its weights see three times the lesions of one per class.
#: In the final fit the generator learns four times as slowly as its discriminator: at half the rate
#: a discriminator that two cores can bear falls behind, and what it cannot see is not learned.
RELEASE_BUNDLE = BundlePreset(
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

# paper: the paper's own, for a GPU. Arms over the cohorts are shorter: there are a hundred.
PAPER_BUNDLE = BundlePreset(name="paper", equal_updates=False)
PAPER_GRID = GridPreset(
    name="paper",
    cohorts=CohortTest(
        count=20,
        test=10_000,
        upper_bound=1000,
        updates=4000,
        classic=(2000, 5000, 10_000),
        synthetic=(500, 1000, 2000),
        seed=60_001,  # what was seen of the smaller presets is not to have shaped what is seen here
    ),
    gans=(
        GanSettings(),
        GanSettings(
            kind="acgan", epochs=50, learning_rate=0.0001, discriminator_learning_rate=0.0001
        ),
        RELEASE_BUNDLE.final_gan,
    ),
    seeds=5,
)

BUNDLES = {one.name: one for one in (SMOKE_BUNDLE, QUICK_BUNDLE, RELEASE_BUNDLE, PAPER_BUNDLE)}
GRIDS = {one.name: one for one in (SMOKE_GRID, QUICK_GRID, COHORTS_GRID, PAPER_GRID)}
