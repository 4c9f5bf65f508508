"""Fit one network of a run, or load it where its file is there already."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool
from rich.progress import Progress

from lesion.classes import CLASSES
from training.data import datasets
from training.data.folds import FOLDS
from training.data.patches import Patches
from training.networks import classifier as cnn
from training.networks import gan, ood
from training.networks.architectures import Classifier, Generator
from training.pipeline import checkpoints
from training.pipeline.image_grid import save_grid
from training.presets import CnnPreset, GanPreset, Preset
from training.seeds import derive

#: The paper's training sets, each the one before and something more (4.2).
ARMS = ("original", "classic", "synthetic")
BEST_ARM = ARMS[-1]

_PICTURED = 12
_FEATURE_VARIANTS = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a run: the lesions that it trains on, and the folder that its networks go to."""

    home: Path
    chosen: Bool[np.ndarray, " n"]
    patches: Patches
    preset: Preset
    seed: int
    device: torch.device
    progress: Progress

    @property
    def folds(self) -> int:
        """How many folds the lesions make up: two in cross-validation, all in the final fit."""
        return FOLDS if self.chosen.all() else FOLDS - 1

    def log(self, name: str, *, epochs: int) -> checkpoints.CheckpointedLog:
        """Open the log of one of its networks."""
        return checkpoints.CheckpointedLog(self.home / name, self.progress, epochs)


def generators(part: Part, preset: GanPreset) -> tuple[Generator, ...]:
    """Fit a generator per class on the class's part of the best D_aug, or one for all (4.2.2).

    Return them in the order of the classes.
    """
    data = _classic(part) + datasets.originals(part.patches, part.chosen, device=part.device)
    for index, name in enumerate(_generator_names(preset)):
        path = part.home / f"{name}.pt"
        if path.is_file():
            continue
        wanted = data if preset.conditional else data.of_class(index)
        log = part.log(name, epochs=gan.epochs(preset, len(wanted.labels)))
        picture = partial(_picture, path.with_suffix(".png"))
        generator = gan.train(
            wanted,
            preset,
            seed=derive(part.seed, part.home.name, name),
            log=log,
            picture=picture,
        )
        picture(generator)
        log.finish({"weights": generator.state_dict()})
    return tuple(g.to(part.device) for g in load_generators(part.home, preset))


def classifier(part: Part, arm: str, sources: Sequence[Generator]) -> cnn.TrainedClassifier:
    """Fit the classifier of an arm; `sources` make its synthetic lesions."""
    name = f"classifier-{arm}"
    if not (part.home / f"{name}.pt").is_file():
        seed = derive(part.seed, part.home.name, name)
        data = training_set(part, arm, sources)
        log = part.log(name, epochs=cnn.epochs(part.preset.cnn, len(data.labels)))
        trained = cnn.train(data, part.preset.cnn, seed=seed, log=log)
        log.finish({"weights": trained.network.state_dict(), "mean": trained.mean})
    loaded = load_classifier(part.home, arm, part.preset.cnn)
    return cnn.TrainedClassifier(loaded.network.to(part.device), loaded.mean)


def training_set(part: Part, arm: str, sources: Sequence[Generator]) -> datasets.Labelled:
    """Put an arm's training set together: original, + classic, + synthetic (paper Table 1)."""
    sets = [datasets.originals(part.patches, part.chosen, device=part.device)]
    if arm == "original" and part.preset.equal_updates:
        sets = [sets[0].repeated(part.preset.classic_per_fold * part.folds)]
    if arm != "original":
        sets.append(_classic(part))
    if arm == "synthetic":
        count = part.preset.synthetic_per_class_per_fold * part.folds
        seed = derive(part.seed, part.home.name, "synthetic")
        for label, source in enumerate(sources):
            images = gan.sample(source, count, label=label, seed=seed)
            labels = torch.full((count,), label, device=part.device)
            sets.append(datasets.Labelled(images, labels))
    return reduce(add, sets)


def ood_score(
    patches: Patches, chosen: Bool[np.ndarray, " n"], trained: cnn.TrainedClassifier
) -> ood.OodScore:
    """Fit the score on the classifier's own training lesions and a few variants of each."""
    variants = np.asarray(patches.variants[:, :_FEATURE_VARIANTS][chosen], dtype=np.float32)
    classes = patches.classes[chosen]
    hu = np.concatenate([patches.originals[chosen], variants.reshape(-1, *variants.shape[2:])])
    device = next(trained.network.parameters()).device
    features = cnn.read(trained, torch.from_numpy(datasets.to_unit(hu)).to(device)).features
    everyones = np.concatenate([classes, np.repeat(classes, variants.shape[1])])
    return ood.fit(features.numpy(), hu, everyones)


def load_generators(home: Path, preset: GanPreset) -> tuple[Generator, ...]:
    """Load fitted generators onto the CPU, in the order of the classes."""
    networks = []
    for name in _generator_names(preset):
        network = gan.build_generator(preset)
        network.load_state_dict(checkpoints.load(home / f"{name}.pt")["weights"])
        networks.append(network.eval())
    return tuple(networks * len(CLASSES) if preset.conditional else networks)


def load_classifier(home: Path, arm: str, preset: CnnPreset) -> cnn.TrainedClassifier:
    """Load a fitted classifier onto the CPU."""
    state = checkpoints.load(home / f"classifier-{arm}.pt")
    network = Classifier(dropout=preset.dropout)
    network.load_state_dict(state["weights"])
    return cnn.TrainedClassifier(network.eval(), state["mean"])


def _classic(part: Part) -> datasets.Labelled:
    return datasets.classic(
        part.patches,
        part.chosen,
        count=part.preset.classic_per_fold * part.folds,
        device=part.device,
    )


def _generator_names(preset: GanPreset) -> tuple[str, ...]:
    return ("generator",) if preset.conditional else tuple(f"generator-{c}" for c in CLASSES)


def _picture(path: Path, generator: Generator) -> None:
    """Show each class of a conditional generator in a row, or a class's own in two."""
    labels = range(len(CLASSES)) if generator.classes else (0, 0)
    rows = [gan.sample(generator, _PICTURED, label=k, seed=row) for row, k in enumerate(labels)]
    save_grid(path, torch.cat(rows).cpu().numpy(), columns=_PICTURED)
