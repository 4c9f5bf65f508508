"""Fig. 9: how well features keep the classes apart, without and with synthetic data (paper 4.3).

The paper shows two t-SNE maps and says that one "exhibited better separating power". A map's
distances mean little, so the claim is measured in the features themselves, each fold's in its own
network's, over lesions that the network never saw and their augmentations.
"""

from typing import Any

import numpy as np

from training.data.training_sets import Arm
from training.evaluation.bootstrap import bootstrap_between, bootstrap_mean
from training.evaluation.image_quality import feature_space, separation
from training.evaluation.metrics import Interval
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction.analyses import best_arms
from training.reproduction.analysis import Analysis
from training.reproduction.report.sections import separation as report
from training.reproduction.setup import ExperimentSetup


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return the mean silhouette and the k-NN accuracy of each arm, and of each class."""
    found: dict[str, Any] = {}
    for arm in best_arms.ARMS:
        silhouette, right = _measured(store, setup, arm)
        found[arm] = {
            "silhouette": _mean(silhouette, setup),
            "nearest": _mean(right, setup),
            "silhouette_by_class": {
                name: float(silhouette[setup.truth.classes == label].mean())
                for label, name in enumerate(CLASSES)
            },
        }
    return found


def evidence(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Interval]:
    """Return the evidence for what the paper says of Fig. 9."""
    classic, synthetic = (_measured(store, setup, arm) for arm in best_arms.ARMS)
    found = {
        f"{name}, CNN-AUG-GAN - CNN-AUG": bootstrap_mean(
            ours - theirs, setup.truth.patients, seed=0
        )
        for name, ours, theirs in zip(
            ("silhouette", "k-NN accuracy"), synthetic, classic, strict=True
        )
    }
    for name in ("metastasis", "hemangioma"):
        found[f"silhouette, cyst - {name}"] = bootstrap_between(
            synthetic[0],
            setup.truth.classes == CLASSES.index("cyst"),
            setup.truth.classes == CLASSES.index(name),
            setup.truth.patients,
            seed=0,
        )
    return found


def maps(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, np.ndarray]:
    """Return t-SNE maps of the first fold: `tsne-<arm>` [m, 2].

    And of their points `tsne-classes` [m] and `tsne-original` [m], false for augmentations.
    """
    drawn = {}
    for arm in best_arms.ARMS:
        one = best_arms.task(setup, setup.protocol.splits[0], arm)
        features, lesions = _features(store, one)
        drawn[f"tsne-{arm}"] = separation.embed(features, seed=setup.protocol.seed)
        drawn["tsne-classes"] = setup.truth.classes[lesions]
        # A lesion's own patch stands first (`_features`).
        drawn["tsne-original"] = np.diff(lesions, prepend=-1) != 0
    return drawn


def _measured(
    store: ArtifactStore, setup: ExperimentSetup, arm: Arm
) -> tuple[np.ndarray, np.ndarray]:
    """Return each lesion's silhouette, and whether its neighbours are of its class."""
    silhouette, right = np.full((2, len(setup.truth.classes)), np.nan)
    for split in setup.protocol.splits:
        one = best_arms.task(setup, split, arm)
        features, lesions = _features(store, one)
        classes, patients = setup.truth.classes[lesions], setup.truth.patients[lesions]
        own = store.load(one)["rows"]
        wide = separation.silhouettes(features, classes, patients)
        near = separation.nearest_classes(features, classes, patients) == classes
        for row in own:
            silhouette[row] = wide[lesions == row].mean()
            right[row] = near[lesions == row].mean()
    return silhouette, right


def _features(store: ArtifactStore, one: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return directions [m, d] of held-out lesions and augmentations, and each one's lesion."""
    outputs = store.load(one)
    own, varied = outputs["features"], outputs["features_variants"]
    every = np.concatenate([own[:, None], varied], axis=1).astype(np.float64)
    flat = every.reshape(-1, every.shape[-1])
    return feature_space.fit_directions(flat)(flat), np.repeat(outputs["rows"], every.shape[1])


def _mean(values: np.ndarray, setup: ExperimentSetup) -> list[float]:
    return list(bootstrap_mean(values, setup.truth.patients, seed=0))


ANALYSIS = Analysis(
    "separation",
    "separation of the classes in feature space (Fig. 9)",
    tasks=best_arms.tasks,
    results=results,
    arrays=maps,
    evidence=evidence,
    sections=(report.section,),
)
