"""More diversity than a few more real cases? The paper says so without a figure (4.2.2).

Synthetic lesions and new cases with augmentations, equally many of each class, are looked at in the
features of a further cohort's classifier, which saw neither: how many fresh lesions of the class
have one of them or a training lesion near, and how much they vary. Folds and classes are averaged.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from lesion.classes import CLASSES, LesionClass
from training.data.splits import Split, part
from training.evaluation.bootstrap import bootstrap_balanced
from training.evaluation.image_quality import diversity
from training.evaluation.image_quality import feature_space as space
from training.evaluation.image_quality import precision_recall as manifold
from training.evaluation.metrics import Interval
from training.phantom.cohort import plan_cohort
from training.pipeline.artifacts import Store
from training.reproduction import independent_test_set as fresh
from training.reproduction.analyses import feature_extractor as extractor
from training.reproduction.setup import Study
from training.seeds import generator

_RESAMPLES = 1000


class _Sets(NamedTuple):
    """One class in one fold's features: directions [m, d], and the new ones' patients, from 0."""

    fresh: np.ndarray
    trained: np.ndarray
    synthetic: np.ndarray
    new: np.ndarray
    patients: np.ndarray


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return coverage, with its interval over lesions, and total variance of the one and other."""
    covered, truth = _covered(store, study), fresh.truth(store, study.experiment)
    synthetic, new = _variances(store, study)
    return {
        **{
            f"coverage_{name}": list(
                bootstrap_balanced(values, truth["classes"], truth["patient_ids"], seed=0)
            )
            for name, values in covered.items()
        },
        "variance_synthetic": float(synthetic[0]),
        "variance_new": float(new[0]),
    }


def evidence(store: Store, study: Study) -> dict[str, Interval]:
    """Return the evidence for the paper's sentence."""
    covered, truth = _covered(store, study), fresh.truth(store, study.experiment)
    gain = covered["synthetic"] - covered["new"]
    return {
        "coverage, synthetic - new cases": bootstrap_balanced(
            gain, truth["classes"], truth["patient_ids"], seed=0
        ),
        "feature variance, synthetic - new cases": _variance_gain(store, study),
    }


def _covered(store: Store, study: Study) -> dict[str, np.ndarray]:
    """Return how often, over the folds, each fresh lesion is near a set with either added."""
    classes = fresh.truth(store, study.experiment)["classes"]
    splits = study.trial.splits
    near = {name: np.zeros(len(classes)) for name in ("synthetic", "new")}
    for split in splits:
        for label, of in enumerate(_of_classes(store, study, split)):
            for name, images in (("synthetic", of.synthetic), ("new", of.new)):
                both = np.concatenate([of.trained, images])
                near[name][classes == label] += manifold.covered(of.fresh, both) / len(splits)
    return near


def _variance_gain(store: Store, study: Study) -> Interval:
    """Bootstrap the difference of total variances."""
    synthetic, new = _variances(store, study)
    value, *drawn = synthetic - new
    # Few cases, drawn with replacement, vary less than they do themselves: only the spread counts.
    low, high = value + np.quantile(drawn - np.mean(drawn), (0.025, 0.975))
    return Interval(float(value), float(low), float(high))


def _variances(store: Store, study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Return the total variance of synthetic images and new cases, then of draws: [1 + draws] each.

    Of each class its images are drawn anew, and its new patients with all their cases: the same
    ones in every fold, as all folds have the same new cases.
    """
    synthetic, new = [], []
    for split in study.trial.splits:
        for label, of in enumerate(_of_classes(store, study, split)):
            own = np.arange(len(of.synthetic))
            rng = generator(study.trial.seed, "variance", str(split.fold), CLASSES[label])
            synthetic.append(diversity.drawn_variances(of.synthetic, own, _times(rng, len(own))))
            rng = generator(study.trial.seed, "variance of new cases", CLASSES[label])
            times = _times(rng, len(np.unique(of.patients)))
            new.append(diversity.drawn_variances(of.new, of.patients, times))
    return np.mean(synthetic, axis=0), np.mean(new, axis=0)


def _times(rng: np.random.Generator, groups: int) -> np.ndarray:
    """Return how often each group is drawn: once, then at random."""
    drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=_RESAMPLES)
    return np.vstack([np.ones(groups, dtype=np.int64), drawn])


def _of_classes(store: Store, study: Study, split: Split) -> Iterator[_Sets]:
    """Yield each class's sets; as many synthetic images as of new cases with augmentations.

    Or all spare synthetic images, if there are fewer, with as many of each new case's augmentations
    left out.
    """
    said, features = store.load(extractor.cell(study)), extractor.of_fresh(store, study)
    place = space.fit_directions(features)
    fresh_classes = fresh.truth(store, study.experiment)["classes"]
    chosen, _ = part(split, study.truth.classes, study.truth.patients)
    spares = extractor.of_spares(store, study, split, "dcgan")
    new = np.concatenate([said["features_new"][:, None], said["features_new_variants"]], axis=1)
    new_classes, patients = _new_cases(study)
    for label, name in enumerate(CLASSES):
        cases = new[new_classes == label]
        each = max(1, min(cases.shape[1], len(spares[name]) // len(cases)))
        flat = cases[:, :each].reshape(-1, cases.shape[-1])
        some = generator(study.trial.seed, "diversity", name).permutation(len(spares[name]))
        _, patient = np.unique(patients[new_classes == label], return_inverse=True)
        yield _Sets(
            place(features[fresh_classes == label]),
            place(said["features_cohort"][chosen & (study.truth.classes == label)]),
            place(spares[name][some[: len(flat)]]),
            place(flat),
            np.repeat(patient, each),
        )


def _new_cases(study: Study) -> tuple[np.ndarray, np.ndarray]:
    """Return the class and the patient of each new case, in the order that they are drawn in."""
    known = study.new.config
    plans = plan_cohort(known.seed, dict(zip(LesionClass, known.counts, strict=True)))
    found = [(CLASSES.index(kind), plan.index) for plan in plans for kind in plan.classes]
    classes, patients = np.array(found).T
    return classes, patients
