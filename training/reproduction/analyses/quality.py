"""How good each kind of synthetic lesions is, per class, beside fresh lesions of the phantom.

In the features of a further cohort's classifier (`extractor`), to which the generators' own lesions
and the fresh ones are equally strange, and in texture features. The phantom's own fresh lesions are
measured the same way: that is what a perfect generator would get.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from training.data.splits import Split
from training.evaluation.image_quality import (
    feature_space,
    kid,
    membership_inference,
    memorisation,
    precision_recall,
)
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction import independent_test_set
from training.reproduction.analyses import best_arms, cohorts, feature_extractor
from training.reproduction.analysis import Analysis
from training.reproduction.protocol import ProtocolRun, generators
from training.reproduction.report.sections import quality as report
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.nearness import NEARNESS, Nearness
from training.reproduction.tasks.texture import TEXTURE, Texture

#: Synthetic images of each class that are compared with training lesions, one by one.
_COMPARED = 300


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the tasks, the cohort-level ones too."""
    yield from feature_extractor.tasks(setup)
    for part in independent_test_set.lesions(setup.grid):
        yield _texture(part)
    for kind in setup.grid.kinds:
        yield from _folds(setup, kind)
        for split in setup.protocol.splits:
            for one in best_arms.spares(setup, split, kind).values():
                yield _texture(one)
    yield from _members(setup)


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return the measures of each kind and of fresh lesions in their place."""
    return {
        "network": _in_space(_network(store, setup), seed=setup.protocol.seed),
        "texture": _in_space(_textures(store, setup), seed=setup.protocol.seed),
        "memorisation": {kind: _copies(store, setup, kind) for kind in setup.grid.kinds},
        "membership": _leak(store, setup),
    }


#: Features [m, d] of each class: of each kind of synthetic lesions and of fresh ones, all measured
#: against the `reference`.
Features = Mapping[str, Mapping[str, np.ndarray]]


def _in_space(folds: Sequence[Features], *, seed: int) -> dict[str, Any]:
    """Measure each kind against fresh lesions, class by class; means over the folds.

    Half of the fresh lesions are the reference; the row `fresh` is as many of the other half, which
    are other patients', as there are synthetic images.
    """
    measured = [
        {
            (kind, name): _against(fold, kind, name, seed=seed)
            for kind in _kinds(folds[0])
            for name in CLASSES
        }
        for fold in folds
    ]
    return {
        kind: {
            name: {
                figure: float(np.mean([fold[kind, name][figure] for fold in measured]))
                for figure in measured[0][kind, name]
            }
            for name in CLASSES
        }
        for kind in _kinds(folds[0])
    }


def _kinds(fold: Features) -> tuple[str, ...]:
    """Return what is measured: the generators' kinds, and fresh lesions last."""
    return (*(kind for kind in fold if kind not in ("reference", "fresh")), "fresh")


def _against(fold: Features, kind: str, name: str, *, seed: int) -> dict[str, float]:
    reference, images = fold["reference"][name], fold[kind][name]
    images = images[: min(len(fold[k][name]) for k in _kinds(fold))]
    distance = kid.kid(reference, images, seed=seed)
    near = min(5, len(reference) - 1, len(images) - 1)
    return {
        "kid": distance.value,
        "kid_error": distance.standard_error,
        **precision_recall.measure(reference, images, nearest=near)._asdict(),
    }


def _network(store: ArtifactStore, setup: ExperimentSetup) -> Sequence[Features]:
    """Return directions in the extractor's features."""
    features = feature_extractor.of_fresh(store, setup)
    place = feature_space.fit_directions(features)
    folds = []
    for split in setup.protocol.splits:
        sets = halves(place(features), **independent_test_set.truth(store, setup.grid))
        for kind in setup.grid.kinds:
            spare = feature_extractor.of_spares(store, setup, split, kind)
            sets[kind] = {name: place(found.astype(np.float64)) for name, found in spare.items()}
        folds.append(sets)
    return folds


def _textures(store: ArtifactStore, setup: ExperimentSetup) -> Sequence[Features]:
    """Return texture features in robust standard deviations."""
    features = np.concatenate(
        [
            store.load(_texture(part))["features"]
            for part in independent_test_set.lesions(setup.grid)
        ]
    )
    place = feature_space.fit_standardised(features)
    folds = []
    for split in setup.protocol.splits:
        sets = halves(place(features), **independent_test_set.truth(store, setup.grid))
        for kind in setup.grid.kinds:
            spares = best_arms.spares(setup, split, kind).values()
            each = np.concatenate([store.load(_texture(one))["features"] for one in spares])
            sets[kind] = {name: place(of) for name, of in zip(CLASSES, each, strict=True)}
        folds.append(sets)
    return folds


def _copies(store: ArtifactStore, setup: ExperimentSetup, kind: str) -> dict[str, list[float]]:
    """Return whether a kind's images are copies of training lesions; folds pooled."""
    outputs = [store.load(task) for task in _folds(setup, kind)]
    synthetic, others = (
        np.concatenate([s[name] for s in outputs]) for name in ("synthetic", "fresh")
    )
    found = memorisation.measure(synthetic, others, seed=setup.protocol.seed)
    return {name: list(interval) for name, interval in found._asdict().items()}


def _leak(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, list[float]]:
    """Return whether DCGANs tell on whom they were trained, over the cohorts."""
    outputs = [store.load(task) for task in _members(setup)]
    found = membership_inference.infer(
        [np.asarray(s["members"]) for s in outputs],
        [np.asarray(s["others"]) for s in outputs],
        seed=setup.protocol.seed,
    )
    return {name: list(interval) for name, interval in found._asdict().items()}


def halves(
    features: np.ndarray, *, classes: np.ndarray, patient_ids: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """Deal features [n, d] out to `reference` and `fresh`, by class; half of the patients to each.

    Lesions of a patient share a scan: on both sides, they would flatter the fresh ones.
    """
    parts = next(StratifiedGroupKFold(2).split(features, classes, groups=patient_ids))
    return {
        half: {name: features[rows[classes[rows] == k]] for k, name in enumerate(CLASSES)}
        for half, rows in zip(("reference", "fresh"), parts, strict=True)
    }


def _texture(one: Task) -> Task:
    return Task(TEXTURE, Texture(), {"of": one}, label=f"texture of {one.label}")


def _nearness(protocol: ProtocolRun, split: Split, kind: str, *, classic: int, index: int) -> Task:
    """Name one comparison; each `index` has fresh lesions of its own, as far as there are parts."""
    parts = independent_test_set.lesions(protocol.grid)
    inputs = {
        "cohort": protocol.cohort,
        "fresh": parts[index % len(parts)],
        **generators(protocol, split, kind, classic=classic),
    }
    config = Nearness(split, classic, _COMPARED, protocol.grid.scaling)
    return Task(NEARNESS, config, inputs, label=f"nearness of {kind}")


def _folds(setup: ExperimentSetup, kind: str) -> tuple[Task, ...]:
    """Name a kind's comparisons on the protocol's folds."""
    return tuple(
        _nearness(setup.protocol, split, kind, classic=setup.classic, index=index)
        for index, split in enumerate(setup.protocol.splits)
    )


def _members(setup: ExperimentSetup) -> tuple[Task, ...]:
    """Name the attack on each further cohort's DCGANs."""
    return tuple(
        _nearness(
            one,
            Split(one.seed),
            setup.grid.kinds[0],
            classic=setup.cohorts[one.seed][0],
            index=index,
        )
        for index, one in enumerate(cohorts.protocol_runs(setup.grid))
    )


ANALYSIS = Analysis(
    "quality",
    "quality of the synthetic images",
    tasks=tasks,
    results=results,
    sections=(report.section,),
)
