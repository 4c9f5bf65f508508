"""Fig. 9: how well features keep the classes apart, without and with synthetic data (paper 4.3).

The paper shows two t-SNE maps and says that one "exhibited better separating power". A map's
distances mean little, so the claim is measured in the features themselves, each fold's in its own
network's, over lesions that the network never saw and their augmentations.
"""

from typing import Any

import numpy as np

from lesion.classes import CLASSES
from training.evaluation.bootstrap import bootstrap_between, bootstrap_mean
from training.evaluation.image_quality import feature_space as space
from training.evaluation.image_quality import separation
from training.evaluation.metrics import Interval
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction.analyses import best_arms as detail
from training.reproduction.setup import Study


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return the mean silhouette and the k-NN accuracy of each arm, and of each class."""
    found: dict[str, Any] = {}
    for arm in detail.ARMS:
        silhouette, right = _measured(store, study, arm)
        found[arm] = {
            "silhouette": _mean(silhouette, study),
            "nearest": _mean(right, study),
            "silhouette_by_class": {
                name: float(silhouette[study.truth.classes == label].mean())
                for label, name in enumerate(CLASSES)
            },
        }
    return found


def evidence(store: Store, study: Study) -> dict[str, Interval]:
    """Return the evidence for what the paper says of Fig. 9."""
    classic, synthetic = (_measured(store, study, arm) for arm in detail.ARMS)
    found = {
        f"{name}, CNN-AUG-GAN - CNN-AUG": bootstrap_mean(
            ours - theirs, study.truth.patients, seed=0
        )
        for name, ours, theirs in zip(
            ("silhouette", "k-NN accuracy"), synthetic, classic, strict=True
        )
    }
    for name in ("metastasis", "hemangioma"):
        found[f"silhouette, cyst - {name}"] = bootstrap_between(
            synthetic[0],
            study.truth.classes == CLASSES.index("cyst"),
            study.truth.classes == CLASSES.index(name),
            study.truth.patients,
            seed=0,
        )
    return found


def maps(store: Store, study: Study) -> dict[str, np.ndarray]:
    """Return t-SNE maps of the first fold: `tsne-<arm>` [m, 2].

    And of their points `tsne-classes` [m] and `tsne-original` [m], false for augmentations.
    """
    drawn = {}
    for arm in detail.ARMS:
        one = detail.cell(study, study.trial.splits[0], arm)
        features, lesions = _features(store, one)
        drawn[f"tsne-{arm}"] = separation.embed(features, seed=study.trial.seed)
        drawn["tsne-classes"] = study.truth.classes[lesions]
        # A lesion's own patch stands first (`_features`).
        drawn["tsne-original"] = np.diff(lesions, prepend=-1) != 0
    return drawn


def _measured(store: Store, study: Study, arm: detail.Arm) -> tuple[np.ndarray, np.ndarray]:
    """Return each lesion's silhouette, and whether its neighbours are of its class."""
    silhouette, right = np.full((2, len(study.truth.classes)), np.nan)
    for split in study.trial.splits:
        one = detail.cell(study, split, arm)
        features, lesions = _features(store, one)
        classes, patients = study.truth.classes[lesions], study.truth.patients[lesions]
        own = store.load(one)["rows"]
        wide = separation.silhouettes(features, classes, patients)
        near = separation.nearest_classes(features, classes, patients) == classes
        for row in own:
            silhouette[row] = wide[lesions == row].mean()
            right[row] = near[lesions == row].mean()
    return silhouette, right


def _features(store: Store, one: Cell) -> tuple[np.ndarray, np.ndarray]:
    """Return directions [m, d] of held-out lesions and augmentations, and each one's lesion."""
    said = store.load(one)
    own, varied = said["features"], said["features_variants"]
    every = np.concatenate([own[:, None], varied], axis=1).astype(np.float64)
    flat = every.reshape(-1, every.shape[-1])
    return space.fit_directions(flat)(flat), np.repeat(said["rows"], every.shape[1])


def _mean(values: np.ndarray, study: Study) -> list[float]:
    return list(bootstrap_mean(values, study.truth.patients, seed=0))
