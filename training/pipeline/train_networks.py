"""Train one network of a bundle's run, or load it where its file is there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from rich.progress import Progress
from torch import Tensor

from training.data import datasets
from training.data.patches import Patches
from training.data.training_sets import Arm, Sources, TrainingSet, build
from training.networks import classifier, gan, ood
from training.networks.architectures import Classifier, Generator
from training.networks.generators import kind_of
from training.pipeline import checkpoints
from training.pipeline.image_grid import save_grid
from training.presets import BundlePreset
from training.seeds import derive
from training.settings import CnnSettings, GanSettings

_PICTURED = 12
_FEATURE_VARIANTS = 8


@dataclass(frozen=True, slots=True)
class FoldContext:
    """A fold, or the final fit: the lesions to train on, and the folder that networks go to."""

    home: Path
    chosen: Bool[np.ndarray, " n"]
    patches: Patches
    preset: BundlePreset
    gan: GanSettings
    seed: int
    device: torch.device
    progress: Progress

    def log(self, name: str, *, epochs: int) -> checkpoints.CheckpointedLog:
        """Open the log of one of its networks."""
        return checkpoints.CheckpointedLog(self.home / name, self.progress, epochs)

    def build(self, wanted: TrainingSet, sources: Sources) -> datasets.Labelled:
        """Put a training set of its lesions together."""
        return build(wanted, sources, self.chosen, device=self.device)


def train_generators(context: FoldContext) -> tuple[Generator, ...]:
    """Train a generator per class on the class's part of the best D_aug, or one for all (4.2.2).

    Return them in the order of the classes.
    """
    settings, kind, names = context.gan, kind_of(context.gan), context.patches.class_names
    wanted = TrainingSet(context.preset.classic_per_fold)
    for index, name in enumerate(_generator_names(settings, names)):
        path = context.home / f"{name}.pt"
        if path.is_file():
            continue
        every = context.build(wanted, Sources(context.patches))
        data = every.of_class(index) if kind.per_class else every
        log = context.log(name, epochs=gan.epochs(settings, len(data.labels)))
        picture = partial(_picture, path.with_suffix(".png"), settings)
        seed = derive(context.seed, context.home.name, name)
        trained = kind.train(data, settings, seed=seed, log=log, picture=picture)
        picture(trained.generator)
        log.finish({"weights": trained.generator.state_dict()})
    return tuple(g.to(context.device) for g in load_generators(context.home, settings, names))


def train_classifier(
    context: FoldContext, arm: Arm, generators: Sequence[Generator]
) -> classifier.TrainedClassifier:
    """Train the classifier of an arm; `generators` make its synthetic lesions."""
    name, settings = f"classifier-{arm}", context.preset.cnn
    if not (context.home / f"{name}.pt").is_file():
        seed = derive(context.seed, context.home.name, name)
        data = training_set(context, arm, generators)
        log = context.log(name, epochs=classifier.epochs(settings, len(data.labels)))
        trained = classifier.train(data, settings, seed=seed, log=log)
        log.finish({"weights": trained.network.state_dict(), "mean": trained.mean})
    loaded = load_classifier(context.home, arm, settings, classes=len(context.patches.class_list))
    return classifier.TrainedClassifier(loaded.network.to(context.device), loaded.mean)


def training_set(
    context: FoldContext, arm: Arm, generators: Sequence[Generator]
) -> datasets.Labelled:
    """Put an arm's training set together (paper Table 1)."""
    preset, seed = context.preset, derive(context.seed, context.home.name, "synthetic")

    def synthesize(label: int, count: int) -> Tensor:
        sample = kind_of(context.gan).sample
        images: Tensor = sample(generators[label], count, label=label, seed=seed)
        return images

    classic = preset.classic_per_fold
    wanted = {
        "none": TrainingSet(repeated_per_fold=classic if preset.equal_updates else 0),
        "classic": TrainingSet(classic),
        "gan": TrainingSet(classic, preset.synthetic_per_class_per_fold),
    }
    return context.build(wanted[arm], Sources(context.patches, synthesize))


def fit_ood_score(
    patches: Patches, chosen: Bool[np.ndarray, " n"], trained: classifier.TrainedClassifier
) -> ood.OodScore:
    """Fit the score on the classifier's own training lesions and a few variants of each."""
    variants = np.asarray(patches.variants[:, :_FEATURE_VARIANTS][chosen], dtype=np.float32)
    classes = patches.classes[chosen]
    hu = np.concatenate([patches.originals[chosen], variants.reshape(-1, *variants.shape[2:])])
    device = next(trained.network.parameters()).device
    unit = torch.from_numpy(datasets.to_unit(hu)).to(device)
    features = classifier.predict(trained, unit).features
    everyones = np.concatenate([classes, np.repeat(classes, variants.shape[1])])
    return ood.fit(features.numpy(), hu, everyones)


def load_generators(
    home: Path, settings: GanSettings, names: Sequence[str]
) -> tuple[Generator, ...]:
    """Load the trained generators of the named classes onto the CPU, in that order."""
    kind, networks = kind_of(settings), []
    for name in _generator_names(settings, names):
        network = kind.build(settings, classes=len(names))
        network.load_state_dict(checkpoints.load(home / f"{name}.pt")["weights"])
        networks.append(network.eval())
    return tuple(networks if kind.per_class else networks * len(names))


def load_classifier(
    home: Path, arm: Arm, settings: CnnSettings, *, classes: int
) -> classifier.TrainedClassifier:
    """Load a trained classifier onto the CPU."""
    state = checkpoints.load(home / f"classifier-{arm}.pt")
    network = Classifier(classes, dropout=settings.dropout)
    network.load_state_dict(state["weights"])
    return classifier.TrainedClassifier(network.eval(), state["mean"])


def _generator_names(settings: GanSettings, classes: Sequence[str]) -> tuple[str, ...]:
    if kind_of(settings).per_class:
        return tuple(f"generator-{name}" for name in classes)
    return ("generator",)


def _picture(path: Path, settings: GanSettings, generator: Generator) -> None:
    """Show each class of a network for all in a row, or a class's own in two."""
    kind = kind_of(settings)
    labels = (0, 0) if kind.per_class else range(generator.classes)
    rows = [kind.sample(generator, _PICTURED, label=k, seed=row) for row, k in enumerate(labels)]
    save_grid(path, torch.cat(rows).cpu().numpy(), columns=_PICTURED)
