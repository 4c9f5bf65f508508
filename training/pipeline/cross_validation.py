"""A bundle's run: three folds to learn what the method is worth, then a final fit on everything.

    patches -> fold 0, 1, 2: generators -> a classifier per arm -> outputs for the held-out lesions
            -> final:        generators -> the preset's classifier -> what a bundle is made of

(paper 4.1, Table 1). Every box leaves files in the run's folder, and a run that finds them skips
the box, so it can be interrupted anywhere. The folder remembers which (preset, seed, patches) it
belongs to.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int

from lesion.errors import RunError
from training.data import datasets
from training.data.folds import FOLDS
from training.data.patches import Patches
from training.data.splits import Split, split_patches
from training.data.training_sets import ARMS, Arm
from training.networks import classifier
from training.networks.architectures import Generator
from training.networks.devices import name_of, precision, select_device
from training.networks.generators import kind_of
from training.networks.ood import OodScore
from training.pipeline import checkpoints, train_networks
from training.pipeline.progress import epoch_bars
from training.pipeline.train_networks import FoldContext
from training.presets import BundlePreset

_RESOLVED = "resolved.json"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Outputs of networks for lesions that they never saw.

    `fold` int64 [n]; `logits` float32 [n, c] of each arm, the shipped one last; `score` float32
    [n], the shipped arm's out-of-distribution score.
    """

    fold: Int[np.ndarray, " n"]
    logits: dict[Arm, Float32[np.ndarray, "n c"]]
    score: Float32[np.ndarray, " n"]

    @property
    def shipped(self) -> Float32[np.ndarray, "n c"]:
        """The logits of the arm that a bundle ships."""
        return list(self.logits.values())[-1]


@dataclass(frozen=True, slots=True)
class FinalNetworks:
    """The networks that a bundle is made of; generators in the order of the classes."""

    classifier: classifier.TrainedClassifier
    ood_score: OodScore
    generators: tuple[Generator, ...]


def tried_arms(preset: BundlePreset) -> tuple[Arm, ...]:
    """Return the arms that cross-validation tries: the shipped one, and those that it adds to."""
    return ARMS[: ARMS.index(preset.arm) + 1]


def run(patches: Patches, preset: BundlePreset, *, seed: int, folder: Path, resume: bool) -> None:
    """Train all that `preset` asks for into `folder`.

    Raise `RunError` where the folder holds another run, or this one and `resume` is not set, or
    where the patches were cut for another preset.
    """
    with checkpoints.lock_folder(folder), epoch_bars() as progress:
        _check(patches, preset)
        device = select_device()
        _claim(folder, _resolve(patches, preset, seed, device), resume=resume)

        def context(index: int | None) -> FoldContext:
            home = folder / ("final" if index is None else f"fold-{index}")
            chosen, _ = split_patches(Split(seed, index), patches)
            gan = preset.final_gan if index is None else preset.fold_gan
            return FoldContext(home, chosen, patches, preset, gan, seed, device, progress)

        for index in range(FOLDS):
            _cross_validate(context(index))
        _fit_final(context(None))


def load_held_out(folder: Path, *, lesions: int) -> HeldOut:
    """Put the folds' outputs together."""
    outputs = [checkpoints.load(folder / f"fold-{index}" / "held-out.pt") for index in range(FOLDS)]
    fold = np.full(lesions, -1)
    arms = [arm for arm in ARMS if arm in outputs[0]]
    logits = {arm: np.empty((lesions, outputs[0][arm].shape[1]), np.float32) for arm in arms}
    score = np.empty(lesions, dtype=np.float32)
    for index, one in enumerate(outputs):
        rows = one["rows"].numpy()
        fold[rows], score[rows] = index, one["score"].numpy()
        for arm in arms:
            logits[arm][rows] = one[arm].numpy()
    return HeldOut(fold, logits, score)


def load_final(folder: Path, preset: BundlePreset) -> FinalNetworks:
    """Load the final fit; raise `RunError` where another preset made it."""
    resolved = load_resolved(folder)
    if resolved["preset"] != json.loads(json.dumps(asdict(preset))):
        raise RunError(
            f"{folder}: holds a run with other settings than {preset.name}, see {_RESOLVED}"
        )
    home, names = folder / "final", resolved["classes"]
    fitted = checkpoints.load(home / "out-of-distribution.pt")
    return FinalNetworks(
        train_networks.load_classifier(home, preset.arm, preset.cnn, classes=len(names)),
        OodScore(fitted["whiten"], fitted["shift"], fitted["centres"]),
        train_networks.load_generators(home, preset.final_gan, names),
    )


def load_resolved(folder: Path) -> dict[str, Any]:
    """Return what a run was asked to do, and where it ran."""
    return dict(json.loads((folder / _RESOLVED).read_text(encoding="utf-8")))


def _cross_validate(context: FoldContext) -> None:
    """Train one fold's networks and keep their outputs for the lesions that they never saw."""
    path = context.home / "held-out.pt"
    if path.is_file():
        return
    preset, held_out = context.preset, ~context.chosen
    generators = train_networks.train_generators(context) if preset.arm == "gan" else ()
    own = datasets.originals(context.patches, held_out, device=context.device)
    trained = {
        arm: train_networks.train_classifier(context, arm, generators) for arm in tried_arms(preset)
    }
    outputs = {arm: classifier.predict(network, own.images) for arm, network in trained.items()}
    ood = train_networks.fit_ood_score(context.patches, context.chosen, trained[preset.arm])
    hu = torch.from_numpy(context.patches.originals[held_out])
    score = ood(outputs[preset.arm].features, hu)
    kept = {"rows": torch.from_numpy(np.flatnonzero(held_out)), "score": score}
    kept |= {str(arm): of_arm.logits for arm, of_arm in outputs.items()}
    checkpoints.save(path, kept)


def _fit_final(context: FoldContext) -> None:
    path = context.home / "out-of-distribution.pt"
    if not path.is_file():
        preset = context.preset
        generators = train_networks.train_generators(context)
        trained = train_networks.train_classifier(context, preset.arm, generators)
        score = train_networks.fit_ood_score(context.patches, context.chosen, trained)
        checkpoints.save(path, score.state_dict())


def _check(patches: Patches, preset: BundlePreset) -> None:
    """Refuse a generator that there is not, and patches that another preset cut.

    Of those a group of augmentations might come out short.
    """
    for settings in (preset.fold_gan, preset.final_gan):
        kind_of(settings)
    found, expected = patches.variants.shape[1], preset.augmentation.count
    if found != expected:
        raise RunError(
            f"patches: found {found} augmentations of each lesion, expected {expected} of preset "
            f"{preset.name}: cut them with it"
        )


def _resolve(
    patches: Patches, preset: BundlePreset, seed: int, device: torch.device
) -> dict[str, object]:
    """Return all that decides the result: on a CPU, threads set the order of sums."""
    on_gpu = device.type == "cuda"
    return {
        "preset": asdict(preset),
        "seed": seed,
        "cohort": patches.cohort,
        "classes": patches.class_names,
        "cut": patches.cut,
        "device": name_of(device) or "CPU",
        "precision": precision(device),
        "threads": None if on_gpu else torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _claim(folder: Path, wanted: dict[str, object], *, resume: bool) -> None:
    """Remember what the folder's run is; refuse to mix two."""
    path = folder / _RESOLVED
    if path.is_file():
        held, asked = load_resolved(folder), json.loads(json.dumps(wanted))
        if other := [key for key in asked if held.get(key) != asked[key]]:
            raise RunError(
                f"{folder}: holds a run with other settings ({', '.join(other)}), see {_RESOLVED}"
            )
        if not resume:
            raise RunError(f"{folder}: holds a run already; --resume goes on with it")
    checkpoints.write_json(path, wanted)
