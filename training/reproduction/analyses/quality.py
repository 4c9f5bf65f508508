"""How good each kind of synthetic lesions is, per class, beside fresh lesions of the phantom.

In the features of a further cohort's classifier (`extractor`), to which the generators' own lesions
and the fresh ones are equally strange, and in texture features. The phantom's own fresh lesions are
measured the same way: that is what a perfect generator would get.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from lesion.classes import CLASSES
from training.data.splits import Split
from training.evaluation.image_quality import feature_space as space
from training.evaluation.image_quality import kid as kernel
from training.evaluation.image_quality import membership_inference as membership
from training.evaluation.image_quality import memorisation
from training.evaluation.image_quality import precision_recall as manifold
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import independent_test_set as fresh
from training.reproduction.analyses import best_arms as detail
from training.reproduction.analyses import cohorts, curves
from training.reproduction.analyses import feature_extractor as extractor
from training.reproduction.protocol import Trial, generators
from training.reproduction.setup import Study
from training.reproduction.tasks.generator import Kind
from training.reproduction.tasks.nearness import NEARNESS, Nearness
from training.reproduction.tasks.texture import TEXTURE, Texture

#: Synthetic images of each class that are compared with training lesions, one by one.
_COMPARED = 300


def cells(study: Study) -> Iterator[Cell]:
    """Yield the cells, the cohort-level ones too."""
    for part in fresh.lesions(study.experiment):
        yield _texture(part)
    for kind in curves.KINDS:
        yield from _folds(study, kind)
        for split in study.trial.splits:
            for one in detail.spares(study, split, kind).values():
                yield _texture(one)
    yield from _members(study)


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return the measures of each kind and of fresh lesions in their place."""
    return {
        "network": _in_space(_network(store, study), seed=study.trial.seed),
        "texture": _in_space(_textures(store, study), seed=study.trial.seed),
        "memorisation": {kind: _copies(store, study, kind) for kind in curves.KINDS},
        "membership": _leak(store, study),
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
            for kind in (*curves.KINDS, "fresh")
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
        for kind in (*curves.KINDS, "fresh")
    }


def _against(fold: Features, kind: str, name: str, *, seed: int) -> dict[str, float]:
    reference, images = fold["reference"][name], fold[kind][name]
    images = images[: min(len(fold[k][name]) for k in (*curves.KINDS, "fresh"))]
    distance = kernel.kid(reference, images, seed=seed)
    near = min(5, len(reference) - 1, len(images) - 1)
    return {
        "kid": distance.value,
        "kid_error": distance.standard_error,
        **manifold.measure(reference, images, nearest=near)._asdict(),
    }


def _network(store: Store, study: Study) -> Sequence[Features]:
    """Return directions in the extractor's features."""
    features = extractor.of_fresh(store, study)
    place = space.fit_directions(features)
    folds = []
    for split in study.trial.splits:
        sets = halves(place(features), **fresh.truth(store, study.experiment))
        for kind in curves.KINDS:
            spare = extractor.of_spares(store, study, split, kind)
            sets[kind] = {name: place(found.astype(np.float64)) for name, found in spare.items()}
        folds.append(sets)
    return folds


def _textures(store: Store, study: Study) -> Sequence[Features]:
    """Return texture features in robust standard deviations."""
    features = np.concatenate(
        [store.load(_texture(part))["features"] for part in fresh.lesions(study.experiment)]
    )
    place = space.fit_standardised(features)
    folds = []
    for split in study.trial.splits:
        sets = halves(place(features), **fresh.truth(store, study.experiment))
        for kind in curves.KINDS:
            spares = detail.spares(study, split, kind).values()
            each = np.concatenate([store.load(_texture(one))["features"] for one in spares])
            sets[kind] = {name: place(of) for name, of in zip(CLASSES, each, strict=True)}
        folds.append(sets)
    return folds


def _copies(store: Store, study: Study, kind: Kind) -> dict[str, list[float]]:
    """Return whether a kind's images are copies of training lesions; folds pooled."""
    said = [store.load(cell) for cell in _folds(study, kind)]
    synthetic, others = (np.concatenate([s[name] for s in said]) for name in ("synthetic", "fresh"))
    found = memorisation.measure(synthetic, others, seed=study.trial.seed)
    return {name: list(interval) for name, interval in found._asdict().items()}


def _leak(store: Store, study: Study) -> dict[str, list[float]]:
    """Return whether DCGANs tell on whom they were trained, over the cohorts."""
    said = [store.load(cell) for cell in _members(study)]
    found = membership.infer(
        [np.asarray(s["members"]) for s in said],
        [np.asarray(s["others"]) for s in said],
        seed=study.trial.seed,
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


def _texture(one: Cell) -> Cell:
    return Cell(TEXTURE, Texture(), {"of": one}, label=f"texture of {one.label}")


def _nearness(trial: Trial, split: Split, kind: Kind, *, classic: int, index: int) -> Cell:
    """Name one comparison; each `index` has fresh lesions of its own, as far as there are parts."""
    parts = fresh.lesions(trial.experiment)
    inputs = {
        "cohort": trial.cohort,
        "fresh": parts[index % len(parts)],
        **generators(trial, split, kind, classic=classic),
    }
    config = Nearness(split, classic, _COMPARED, trial.experiment.scaling)
    return Cell(NEARNESS, config, inputs, label=f"nearness of {kind}")


def _folds(study: Study, kind: Kind) -> tuple[Cell, ...]:
    """Name a kind's comparisons on the protocol's folds."""
    return tuple(
        _nearness(study.trial, split, kind, classic=study.classic, index=index)
        for index, split in enumerate(study.trial.splits)
    )


def _members(study: Study) -> tuple[Cell, ...]:
    """Name the attack on each further cohort's DCGANs."""
    return tuple(
        _nearness(one, Split(one.seed), "dcgan", classic=study.cohorts[one.seed][0], index=index)
        for index, one in enumerate(cohorts.trials(study.experiment))
    )
