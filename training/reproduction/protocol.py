"""The paper's protocol on one cohort: three folds, data groups, three sources, baselines (paper 4).

A `Trial` is one repeat of it: a split into folds, and a seed for each network. All arms of a fold
share their networks' first weights, so that they differ by what they are trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lesion.classes import CLASSES
from training.data.folds import FOLDS
from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.pipeline.tasks import Task
from training.presets import CnnPreset, GanPreset
from training.reproduction.presets import Experiment
from training.reproduction.tasks.baseline import BASELINE, BaselineConfig
from training.reproduction.tasks.classifier import CLASSIFIER, ClassifierConfig, Keep
from training.reproduction.tasks.generator import GENERATOR, GeneratorConfig, Kind
from training.seeds import derive


@dataclass(frozen=True, slots=True)
class ProtocolRun:
    """One repeat of the protocol on one cohort. `splits` are its folds.

    `again` counts how often its networks were seeded anew, on the same folds.
    """

    experiment: Experiment
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
    preset: CnnPreset | None = None,
    keep: Keep | None = None,
) -> Task:
    """Name the classifier of a split that is trained on `data`; `more` are its further inputs."""
    config = ClassifierConfig(
        split,
        data,
        preset or protocol.experiment.cnn,
        protocol.seed_of(split),
        scaling=protocol.experiment.scaling,
        keep=keep or Keep(),
    )
    inputs = {"cohort": protocol.cohort, **(more or {})}
    return Task(CLASSIFIER, config, inputs, label=f"classifier {_words(split, data)}")


def generators(protocol: ProtocolRun, split: Split, kind: Kind, *, classic: int) -> dict[str, Task]:
    """Name a split's generators, trained on its best classic group, by the roles of their images.

    A DCGAN for each class (paper 3.2), or one network for all.
    """
    experiment = protocol.experiment
    presets: dict[Kind, GanPreset] = {
        "dcgan": experiment.dcgan,
        "acgan": experiment.acgan,
        "conditional": experiment.recipe,
    }
    share = (FOLDS - 1) / FOLDS if split.fold is not None else 1.0
    count = round(max(experiment.synthetic) * FOLDS * share * 1.05) + experiment.spare
    config = GeneratorConfig(
        kind, presets[kind], split, classic, count, protocol.seed_of(split), experiment.scaling
    )
    inputs = {"cohort": protocol.cohort}
    if kind != "dcgan":
        return {"synthetic": Task(GENERATOR, config, inputs, label=f"{kind} {_words(split)}")}
    return {
        f"synthetic-{name}": Task(
            GENERATOR,
            replace(config, label=label, seed=derive(config.seed, name) % 2**31),
            inputs,
            label=f"{kind} {name} {_words(split)}",
        )
        for label, name in enumerate(CLASSES)
    }


def baseline_tasks(protocol: ProtocolRun, method: str) -> tuple[Task, ...]:
    """Name a baseline's tasks, one a fold."""
    return tuple(
        Task(
            BASELINE,
            BaselineConfig(method, protocol.experiment.baseline, split, protocol.seed_of(split)),
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
