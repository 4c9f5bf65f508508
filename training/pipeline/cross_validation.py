"""One run: three folds to learn what the method is worth, then a final fit on everything.

    patches -> fold 0, 1, 2: generators -> a classifier per arm -> what they say of the held-out
            -> final:        generators -> the best arm's classifier -> what a bundle is made of

(paper 4.1, Table 1). Every box leaves files in the run's folder, and a run that finds them skips
the box, so it can be interrupted anywhere. The folder remembers which (preset, seed, patches) it
belongs to.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int

from lesion.classes import CLASSES
from lesion.errors import RunError
from training.data import datasets
from training.data.folds import FOLDS, assign, training_part
from training.data.patches import Patches
from training.networks import classifier as cnn
from training.networks.architectures import Generator
from training.networks.devices import select_device
from training.networks.ood import OodScore
from training.pipeline import checkpoints, train_networks
from training.presets import Preset
from training.seeds import derive

_RESOLVED = "resolved.json"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What networks that never saw a lesion said of it.

    `fold` int64 [n]; `logits` float32 [n, 3] of each arm; `score` float32 [n], the best arm's
    out-of-distribution score.
    """

    fold: Int[np.ndarray, " n"]
    logits: dict[str, Float32[np.ndarray, "n 3"]]
    score: Float32[np.ndarray, " n"]


@dataclass(frozen=True, slots=True)
class Final:
    """The networks that a bundle is made of; generators in the order of the classes."""

    classifier: cnn.TrainedClassifier
    out_of_distribution: OodScore
    generators: tuple[Generator, ...]


def train(patches: Patches, preset: Preset, *, seed: int, folder: Path, resume: bool) -> None:
    """Train all that `preset` asks for into `folder`.

    Raise `RunError` where the folder holds another run, or this one and `resume` is not set, or
    where the patches were cut for another preset.
    """
    with checkpoints.exclusive(folder), checkpoints.bars() as progress:
        _check_cut(patches, preset)
        device = select_device()
        _claim(folder, _resolve(patches, preset, seed, device), resume=resume)
        fold = assign(patches.classes, patches.patient_ids, seed=derive(seed, "folds") % 2**32)

        def part(index: int | None) -> train_networks.Part:
            home = folder / ("final" if index is None else f"fold-{index}")
            chosen = training_part(fold, index)
            return train_networks.Part(home, chosen, patches, preset, seed, device, progress)

        for index in range(FOLDS):
            _cross_validate(part(index))
        _fit_final(part(None))


def held_out(folder: Path, *, lesions: int) -> HeldOut:
    """Put the folds' outputs together."""
    fold = np.full(lesions, -1)
    logits = {
        arm: np.empty((lesions, len(CLASSES)), dtype=np.float32) for arm in train_networks.ARMS
    }
    score = np.empty(lesions, dtype=np.float32)
    for index in range(FOLDS):
        outputs = checkpoints.load(folder / f"fold-{index}" / "held-out.pt")
        rows = outputs["rows"].numpy()
        fold[rows], score[rows] = index, outputs["score"].numpy()
        for arm in train_networks.ARMS:
            logits[arm][rows] = outputs[arm].numpy()
    return HeldOut(fold, logits, score)


def final(folder: Path, preset: Preset) -> Final:
    """Load the final fit; raise `RunError` where another preset made it."""
    if resolved(folder)["preset"] != asdict(preset):
        raise RunError(
            f"{folder}: holds a run with other settings than {preset.name}, see {_RESOLVED}"
        )
    home = folder / "final"
    fitted = checkpoints.load(home / "out-of-distribution.pt")
    return Final(
        train_networks.load_classifier(home, train_networks.BEST_ARM, preset.cnn),
        OodScore(fitted["whiten"], fitted["shift"], fitted["centres"]),
        train_networks.load_generators(home, preset.final_gan),
    )


def resolved(folder: Path) -> dict[str, object]:
    """Return what a run was asked to do, and where it ran."""
    return dict(json.loads((folder / _RESOLVED).read_text(encoding="utf-8")))


def _cross_validate(part: train_networks.Part) -> None:
    """Fit one fold's networks and keep what they say of the lesions that they never saw."""
    path = part.home / "held-out.pt"
    if path.is_file():
        return
    sources = train_networks.generators(part, part.preset.fold_gan)
    rows = np.flatnonzero(~part.chosen)
    own = datasets.originals(part.patches, ~part.chosen, device=part.device)
    trained = {arm: train_networks.classifier(part, arm, sources) for arm in train_networks.ARMS}
    outputs = {arm: cnn.read(network, own.images) for arm, network in trained.items()}
    ood_score = train_networks.ood_score(
        part.patches, part.chosen, trained[train_networks.BEST_ARM]
    )
    hu = torch.from_numpy(part.patches.originals[rows])
    score = ood_score(outputs[train_networks.BEST_ARM].features, hu)
    logits = {arm: readout.logits for arm, readout in outputs.items()}
    checkpoints.save(path, {"rows": torch.from_numpy(rows), "score": score, **logits})


def _fit_final(part: train_networks.Part) -> None:
    path = part.home / "out-of-distribution.pt"
    if not path.is_file():
        sources = train_networks.generators(part, part.preset.final_gan)
        trained = train_networks.classifier(part, train_networks.BEST_ARM, sources)
        checkpoints.save(
            path, train_networks.ood_score(part.patches, part.chosen, trained).state_dict()
        )


def _check_cut(patches: Patches, preset: Preset) -> None:
    """Refuse patches that another preset cut: a group of augmentations might come out short."""
    found, expected = patches.variants.shape[1], preset.augmentation.count
    if found != expected:
        raise RunError(
            f"patches: found {found} augmentations of each lesion, expected {expected} of preset "
            f"{preset.name}: cut them with it"
        )


def _resolve(
    patches: Patches, preset: Preset, seed: int, device: torch.device
) -> dict[str, object]:
    """Return all that decides the result: on a CPU, threads set the order of sums."""
    on_gpu = device.type == "cuda"
    return {
        "preset": asdict(preset),
        "seed": seed,
        "cohort": patches.cohort,
        "cut": patches.cut,
        "device": torch.cuda.get_device_name(device) if on_gpu else "CPU",
        "threads": None if on_gpu else torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _claim(folder: Path, wanted: dict[str, object], *, resume: bool) -> None:
    """Remember what the folder's run is; refuse to mix two."""
    path = folder / _RESOLVED
    if path.is_file():
        held, asked = resolved(folder), json.loads(json.dumps(wanted))
        if other := [key for key in asked if held.get(key) != asked[key]]:
            raise RunError(
                f"{folder}: holds a run with other settings ({', '.join(other)}), see {_RESOLVED}"
            )
        if not resume:
            raise RunError(f"{folder}: holds a run already; --resume goes on with it")
    checkpoints.write_json(path, wanted)
