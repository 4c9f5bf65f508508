"""What a bundle made of this cohort would be worth: calibration, coverage, abstention, rejection.

The bundle's own procedure (`training.evaluate`): temperature, conformal quantiles and threshold
from the folds' outputs, then a final fit on the whole cohort. Here the final fit is judged on fresh
lesions, of which there are enough: of 53 cysts a coverage of 90 % has a standard error of 4 points.
And on near neighbours: what is none of the classes should be turned away.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.evaluation import calibration as calibrate
from training.evaluation import metrics, rejection
from training.phantom.ood_lesions import KINDS
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import independent_test_set as fresh
from training.reproduction import predictions as reading
from training.reproduction.presets import Experiment
from training.reproduction.protocol import classifier, generators
from training.reproduction.setup import Study
from training.reproduction.tasks.classifier import JUDGED, Keep
from training.reproduction.tasks.ood_lesions import NEIGHBOURS, Neighbours

NEIGHBOURS_SEED = 50_001

ARMS = ("classic", "synthetic")
_CURVE_POINTS = 50


def folds(study: Study, arm: str) -> tuple[Cell, ...]:
    """Name an arm's cross-validated classifiers, with their out-of-distribution scores."""
    return tuple(_classifier(study, split, arm, {}) for split in study.trial.splits)


def final(study: Study, arm: str) -> Cell:
    """Name an arm's final fit, judging fresh lesions and neighbours."""
    judged = fresh.judged(study.experiment)
    judged |= {f"{JUDGED}{kind}": cell for kind, cell in neighbours(study.experiment).items()}
    return _classifier(study, Split(study.trial.seed), arm, judged)


def neighbours(experiment: Experiment) -> dict[str, Cell]:
    """Name the neighbours of each kind."""
    return {
        kind: Cell(NEIGHBOURS, Neighbours(kind, NEIGHBOURS_SEED, experiment.neighbours), label=kind)
        for kind in KINDS
    }


def cells(study: Study) -> Iterator[Cell]:
    """Yield the cells of both arms."""
    yield from fresh.classes(study.experiment)
    for arm in ARMS:
        yield from folds(study, arm)
        yield final(study, arm)


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return what each arm's bundle would be worth."""
    return {arm: _arm(store, study, arm) for arm in ARMS}


def _arm(store: Store, study: Study, arm: str) -> dict[str, Any]:
    validated = folds(study, arm)
    calibrated = calibrate.fit(reading.held_out(store, validated, study.truth), study.truth.classes)
    scores = np.concatenate([store.load(cell)["unlike"] for cell in validated])
    threshold = float(np.quantile(scores, 1 - calibrate.OUT_OF_DISTRIBUTION_SHARE))

    said = store.load(final(study, arm))
    classes = fresh.truth(store, study.experiment)["classes"]
    logits, unlike = (fresh.said(said, study.experiment, n) for n in ("logits", "unlike"))
    probabilities = calibrated.probabilities(logits)
    sets = calibrated.sets(probabilities)
    return {
        "fresh": {
            **reading.figures(logits / calibrated.temperature, classes),
            "temperature": calibrated.temperature,
            "coverage": reading.by_class(metrics.coverage(sets, classes)),
            "set_size": metrics.set_size(sets, classes),
            "abstained": float((sets.sum(axis=1) != 1).mean()),
            "turned_away": float((unlike > threshold).mean()),
        },
        "risk_coverage": _risk_coverage(probabilities, classes),
        "neighbours": {
            kind: {
                "auroc": list(rejection.auroc(unlike, said[f"unlike_{kind}"])),
                "false_positive_rate": list(
                    rejection.false_positive_rate(unlike, said[f"unlike_{kind}"])
                ),
                "turned_away": float((said[f"unlike_{kind}"] > threshold).mean()),
                "sure": _sure(calibrated, said, kind, threshold),
            }
            for kind in KINDS
        },
    }


def _classifier(study: Study, split: Split, arm: str, judged: dict[str, Cell]) -> Cell:
    more = dict(judged)
    data = TrainingSet(study.classic)
    if arm == "synthetic":
        data = TrainingSet(study.classic, study.synthetic)
        more |= generators(study.trial, split, "dcgan", classic=study.classic)
    return classifier(study.trial, split, data, more=more, keep=Keep(unlike=True))


def _sure(calibrated: calibrate.Calibrated, said: Any, kind: str, threshold: float) -> float:
    """Return the share of a kind that gets one class and is not turned away: a service's error."""
    sets = calibrated.sets(calibrated.probabilities(said[f"logits_{kind}"]))
    return float(((sets.sum(axis=1) == 1) & (said[f"unlike_{kind}"] <= threshold)).mean())


def _risk_coverage(probabilities: np.ndarray, classes: np.ndarray) -> dict[str, Any]:
    """Return the error among the lesions that are answered, the surest first."""
    right = probabilities.argmax(axis=1) == classes
    curve = rejection.risk_coverage(probabilities.max(axis=1), right)
    shown = np.linspace(0, len(curve.risk) - 1, min(_CURVE_POINTS, len(curve.risk))).astype(int)
    return {
        "coverage": curve.coverage[shown].tolist(),
        "risk": curve.risk[shown].tolist(),
        "area": curve.area,
        "excess": curve.excess,
    }
