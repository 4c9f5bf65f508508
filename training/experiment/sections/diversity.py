"""More diversity than a few more real cases? The paper says so without a figure (4.2.2).

Synthetic lesions and new cases with augmentations, equally many, are looked at in the features of
each fold's classic classifier, which saw neither: how many fresh lesions have one of them or a
training lesion near, and how much they vary. The folds' figures are averaged.
"""

from typing import Any

import numpy as np

from training.experiment.sections import cohorts, detail
from training.experiment.splits import Split
from training.experiment.store import Store
from training.experiment.study import Study
from training.metrics import Interval
from training.quality import diversity, manifold, space
from training.seeds import generator
from training.statistics.bootstrap import bootstrap_mean

_RESAMPLES = 1000


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return coverage, with its interval over lesions, and total variance of the one and other."""
    covered = _covered(store, study)
    patients = cohorts.of_fresh(store, study.experiment)["patient_ids"]
    synthetic, new = zip(
        *(_added(store, study, split) for split in study.trial.splits), strict=True
    )
    return {
        **{f"coverage_{k}": list(bootstrap_mean(v, patients, seed=0)) for k, v in covered.items()},
        "variance_synthetic": float(np.mean([diversity.total_variance(x) for x in synthetic])),
        "variance_new": float(
            np.mean([diversity.total_variance(x.reshape(-1, x.shape[-1])) for x in new])
        ),
    }


def evidence(store: Store, study: Study) -> dict[str, Interval]:
    """Return the evidence for the paper's sentence."""
    covered = _covered(store, study)
    patients = cohorts.of_fresh(store, study.experiment)["patient_ids"]
    gain = bootstrap_mean(covered["synthetic"] - covered["new"], patients, seed=0)
    return {
        "coverage, synthetic - new cases": gain,
        "feature variance, synthetic - new cases": _variance_gain(store, study),
    }


def _covered(store: Store, study: Study) -> dict[str, np.ndarray]:
    """Return how often, over the folds, each fresh lesion is near a set with either added."""
    near: dict[str, list[np.ndarray]] = {"synthetic": [], "new": []}
    for split in study.trial.splits:
        one = detail.cell(study, split, "classic")
        said, fresh = store.load(one), detail.of_fresh(store, study, one)
        place = space.fit_directions(fresh)
        trained = place(np.delete(said["features_cohort"], said["rows"], axis=0))
        synthetic, new = _added(store, study, split)
        for name, images in (("synthetic", synthetic), ("new", new.reshape(-1, new.shape[-1]))):
            both = np.concatenate([trained, images])
            near[name].append(manifold.covered(place(fresh), both).astype(np.float64))
    return {name: np.mean(folds, axis=0) for name, folds in near.items()}


def _added(store: Store, study: Study, split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Return directions of synthetic images [m, d], and of new cases [n, 1 + v, d]; m = n (1 + v).

    Or of all spare synthetic images, if there are fewer, with as many of each new case's
    augmentations left out.
    """
    one = detail.cell(study, split, "classic")
    said = store.load(one)
    place = space.fit_directions(detail.of_fresh(store, study, one))
    spare = np.concatenate(list(detail.of_spares(store, one, "dcgan", name="features").values()))
    new = np.concatenate([said["features_new"][:, None], said["features_new_variants"]], axis=1)
    each = max(1, min(new.shape[1], len(spare) // len(new)))
    flat = new[:, :each].reshape(-1, new.shape[-1])
    some = generator(study.trial.seed, "diversity").permutation(len(spare))[: len(flat)]
    return place(spare[some]), place(flat).reshape(len(new), each, -1)


def _variance_gain(store: Store, study: Study) -> Interval:
    """Bootstrap the difference of total variances: images are drawn anew, new cases as a whole."""
    rng = generator(study.trial.seed, "variance")
    gains = []
    for split in study.trial.splits:
        synthetic, new = _added(store, study, split)
        ours = _variances(synthetic[:, None], rng=rng)
        gains.append(ours - _variances(new, rng=rng))
    value, *drawn = np.mean(gains, axis=0)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Interval(float(value), float(low), float(high))


def _variances(images: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return the total variance of images [n, v, d], then of draws of n of the n groups of v."""
    n = len(images)
    weights = np.vstack([np.ones(n), rng.multinomial(n, np.full(n, 1 / n), size=_RESAMPLES)]) / n
    mean = weights @ images.mean(axis=1)
    square = weights @ (images**2).sum(axis=2).mean(axis=1)
    variances: np.ndarray = square - (mean**2).sum(axis=1)
    return variances
