"""The paper's protocol on one cohort: three folds, data groups, three sources, baselines (paper 4).

A `ProtocolRun` is one repeat of it: a split into folds, and a seed for each network. All arms of a
fold share their networks' first weights, so that they differ by what they are trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from training.data.folds import FOLDS
from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.networks.generators import kind_of
from training.phantom.classes import CLASSES
from training.pipeline.tasks import Task
from training.presets import GridPreset
from training.reproduction.tasks.baseline import BASELINE, BaselineConfig
from training.reproduction.tasks.classifier import CLASSIFIER, ClassifierConfig, Keep
from training.reproduction.tasks.generator import GENERATOR, GeneratorConfig
from training.reproduction.tasks.synthetic_images import ROLE
from training.seeds import derive
from training.settings import CnnSettings


@dataclass(frozen=True, slots=True)
class ProtocolRun:
    """One repeat of the protocol on one cohort. `splits` are its folds.

    `again` counts how often its networks were seeded anew, on the same folds.
    """

    grid: GridPreset
    cohort: Task
    seed: int
    again: int = 0

    @property
    def splits(self) -> tuple[Split, ...]:
        """The paper's three folds, each held out once."""
        return tuple(Split(self.seed, fold) for fold in range(FOLDS))

    def seed_of(self, split: Split) -> int:
        """Seed the networks of a split."""
        again = (f"again {self.again}",) if self.again else ()
        return derive(self.seed, "networks", str(split.fold), str(split.inner), *again) % 2**31


def classifier(
    protocol: ProtocolRun,
    split: Split,
    data: TrainingSet,
    *,
    more: Mapping[str, Task] | None = None,
    preset: CnnSettings | None = None,
    keep: Keep | None = None,
) -> Task:
    """Name the classifier of a split that is trained on `data`; `more` are its further inputs."""
    config = ClassifierConfig(
        split,
        data,
        preset or protocol.grid.cnn,
        protocol.seed_of(split),
        scaling=protocol.grid.scaling,
        keep=keep or Keep(),
    )
    inputs = {"cohort": protocol.cohort, **(more or {})}
    return Task(CLASSIFIER, config, inputs, label=f"classifier {_words(split, data)}")


def generators(
    protocol: ProtocolRun, split: Split, kind: str | None = None, *, classic: int
) -> dict[str, Task]:
    """Name a split's generators, trained on its best classic group, by the roles of their images.

    Of the paper's kind where none is named: a network for each class (3.2), or one for all.
    """
    grid = protocol.grid
    gan = next(one for one in grid.gans if kind in (None, one.kind))
    share = (FOLDS - 1) / FOLDS if split.fold is not None else 1.0
    count = round(max(grid.synthetic) * FOLDS * share * 1.05) + grid.spare
    config = GeneratorConfig(gan, split, classic, count, protocol.seed_of(split), grid.scaling)
    inputs = {"cohort": protocol.cohort}
    if not kind_of(gan).per_class:
        return {ROLE: Task(GENERATOR, config, inputs, label=f"{gan.kind} {_words(split)}")}
    return {
        f"{ROLE}-{name}": Task(
            GENERATOR,
            replace(config, label=label, seed=derive(config.seed, name) % 2**31),
            inputs,
            label=f"{gan.kind} {name} {_words(split)}",
        )
        for label, name in enumerate(CLASSES)
    }


def baseline_tasks(protocol: ProtocolRun, method: str) -> tuple[Task, ...]:
    """Name a baseline's tasks, one a fold."""
    return tuple(
        Task(
            BASELINE,
            BaselineConfig(method, protocol.grid.baseline, split, protocol.seed_of(split)),
            {"cohort": protocol.cohort},
            label=f"{method} {_words(split)}",
        )
        for split in protocol.splits
    )


def _words(split: Split, data: TrainingSet | None = None) -> str:
    words = "all" if split.fold is None else f"fold {split.fold + 1}"
    if split.inner is not None:
        words += f".{split.inner + 1}"
    if data is not None:
        words += f": {data.classic_per_fold} classic"
        words += f" + 3 x {data.synthetic_per_class} synthetic" if data.synthetic_per_class else ""
        words += f" + 3 x {data.new_per_class} new" if data.new_per_class else ""
    return words
