"""More diversity than a few more real cases? The paper says so without a figure (4.2.2).

Synthetic lesions and new cases with augmentations, equally many of each class, are looked at in the
features of a further cohort's classifier, which saw neither: how many fresh lesions of the class
have one of them or a training lesion near, and how much they vary. Folds and classes are averaged.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from training.data.splits import Split, split_lesions
from training.evaluation.bootstrap import bootstrap_balanced
from training.evaluation.image_quality import diversity, feature_space, precision_recall
from training.evaluation.metrics import Interval
from training.phantom.classes import CLASSES, LesionClass
from training.phantom.cohort import plan_cohort
from training.pipeline.artifacts import ArtifactStore
from training.reproduction import independent_test_set
from training.reproduction.analyses import feature_extractor
from training.reproduction.analysis import Analysis
from training.reproduction.setup import ExperimentSetup
from training.seeds import generator

_RESAMPLES = 1000


class _Sets(NamedTuple):
    """One class in one fold's features: directions [m, d], and the new ones' patients, from 0."""

    fresh: np.ndarray
    trained: np.ndarray
    synthetic: np.ndarray
    new: np.ndarray
    patients: np.ndarray


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return coverage, with its interval over lesions, and total variance of the one and other."""
    covered, truth = _covered(store, setup), independent_test_set.truth(store, setup.grid)
    synthetic, new = _variances(store, setup)
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


def evidence(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Interval]:
    """Return the evidence for the paper's sentence."""
    covered, truth = _covered(store, setup), independent_test_set.truth(store, setup.grid)
    gain = covered["synthetic"] - covered["new"]
    return {
        "coverage, synthetic - new cases": bootstrap_balanced(
            gain, truth["classes"], truth["patient_ids"], seed=0
        ),
        "feature variance, synthetic - new cases": _variance_gain(store, setup),
    }


def _covered(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, np.ndarray]:
    """Return how often, over the folds, each fresh lesion is near a set with either added."""
    classes = independent_test_set.truth(store, setup.grid)["classes"]
    splits = setup.protocol.splits
    near = {name: np.zeros(len(classes)) for name in ("synthetic", "new")}
    for split in splits:
        for label, of in enumerate(_of_classes(store, setup, split)):
            for name, images in (("synthetic", of.synthetic), ("new", of.new)):
                both = np.concatenate([of.trained, images])
                near[name][classes == label] += precision_recall.covered(of.fresh, both) / len(
                    splits
                )
    return near


def _variance_gain(store: ArtifactStore, setup: ExperimentSetup) -> Interval:
    """Bootstrap the difference of total variances."""
    synthetic, new = _variances(store, setup)
    value, *drawn = synthetic - new
    # Few cases, drawn with replacement, vary less than they do themselves: only the spread counts.
    low, high = value + np.quantile(drawn - np.mean(drawn), (0.025, 0.975))
    return Interval(float(value), float(low), float(high))


def _variances(store: ArtifactStore, setup: ExperimentSetup) -> tuple[np.ndarray, np.ndarray]:
    """Return the total variance of synthetic images and new cases, then of draws: [1 + draws] each.

    Of each class its images are drawn anew, and its new patients with all their cases: the same
    ones in every fold, as all folds have the same new cases.
    """
    synthetic, new = [], []
    for split in setup.protocol.splits:
        for label, of in enumerate(_of_classes(store, setup, split)):
            own = np.arange(len(of.synthetic))
            rng = generator(setup.protocol.seed, "variance", str(split.fold), CLASSES[label])
            synthetic.append(diversity.drawn_variances(of.synthetic, own, _times(rng, len(own))))
            rng = generator(setup.protocol.seed, "variance of new cases", CLASSES[label])
            times = _times(rng, len(np.unique(of.patients)))
            new.append(diversity.drawn_variances(of.new, of.patients, times))
    return np.mean(synthetic, axis=0), np.mean(new, axis=0)


def _times(rng: np.random.Generator, groups: int) -> np.ndarray:
    """Return how often each group is drawn: once, then at random."""
    drawn = rng.multinomial(groups, np.full(groups, 1 / groups), size=_RESAMPLES)
    return np.vstack([np.ones(groups, dtype=np.int64), drawn])


def _of_classes(store: ArtifactStore, setup: ExperimentSetup, split: Split) -> Iterator[_Sets]:
    """Yield each class's sets; as many synthetic images as of new cases with augmentations.

    Or all spare synthetic images, if there are fewer, with as many of each new case's augmentations
    left out.
    """
    outputs, features = (
        store.load(feature_extractor.task(setup)),
        feature_extractor.of_fresh(store, setup),
    )
    place = feature_space.fit_directions(features)
    fresh_classes = independent_test_set.truth(store, setup.grid)["classes"]
    chosen, _ = split_lesions(split, setup.truth.classes, setup.truth.patients, names=CLASSES)
    spares = feature_extractor.of_spares(store, setup, split, setup.grid.kinds[0])
    new = np.concatenate(
        [outputs["features_new"][:, None], outputs["features_new_variants"]], axis=1
    )
    new_classes, patients = _new_cases(setup)
    for label, name in enumerate(CLASSES):
        cases = new[new_classes == label]
        each = max(1, min(cases.shape[1], len(spares[name]) // len(cases)))
        flat = cases[:, :each].reshape(-1, cases.shape[-1])
        some = generator(setup.protocol.seed, "diversity", name).permutation(len(spares[name]))
        _, patient = np.unique(patients[new_classes == label], return_inverse=True)
        yield _Sets(
            place(features[fresh_classes == label]),
            place(outputs["features_cohort"][chosen & (setup.truth.classes == label)]),
            place(spares[name][some[: len(flat)]]),
            place(flat),
            np.repeat(patient, each),
        )


def _new_cases(setup: ExperimentSetup) -> tuple[np.ndarray, np.ndarray]:
    """Return the class and the patient of each new case, in the order that they are drawn in."""
    known = setup.new.config
    plans = plan_cohort(known.seed, dict(zip(LesionClass, known.counts, strict=True)))
    found = [(CLASSES.index(kind), plan.index) for plan in plans for kind in plan.classes]
    classes, patients = np.array(found).T
    return classes, patients


ANALYSIS = Analysis(
    "diversity",
    "diversity beside a few more real cases",
    tasks=feature_extractor.tasks,
    results=results,
    evidence=evidence,
    of_simulation=True,
)
