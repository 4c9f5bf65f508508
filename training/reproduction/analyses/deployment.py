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
from training.evaluation import calibration, metrics, rejection
from training.phantom.ood_lesions import KINDS
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.presets import GridPreset
from training.reproduction import independent_test_set, predictions
from training.reproduction.analysis import Analysis
from training.reproduction.protocol import classifier, generators
from training.reproduction.report.sections import deployment as report
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.classifier import JUDGED, Keep
from training.reproduction.tasks.ood_lesions import OOD_LESIONS, OodLesionsConfig

NEIGHBOURS_SEED = 50_001

ARMS = ("classic", "gan")
_CURVE_POINTS = 50


def folds(setup: ExperimentSetup, arm: str) -> tuple[Task, ...]:
    """Name an arm's cross-validated classifiers, with their out-of-distribution scores."""
    return tuple(_classifier(setup, split, arm, {}) for split in setup.protocol.splits)


def final(setup: ExperimentSetup, arm: str) -> Task:
    """Name an arm's final fit, judging fresh lesions and neighbours."""
    judged = independent_test_set.judged_roles(setup.grid)
    judged |= {f"{JUDGED}{kind}": task for kind, task in neighbours(setup.grid).items()}
    return _classifier(setup, Split(setup.protocol.seed), arm, judged)


def neighbours(grid: GridPreset) -> dict[str, Task]:
    """Name the neighbours of each kind."""
    return {
        kind: Task(
            OOD_LESIONS, OodLesionsConfig(kind, NEIGHBOURS_SEED, grid.neighbours), label=kind
        )
        for kind in KINDS
    }


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the tasks of both arms."""
    yield from independent_test_set.classes(setup.grid)
    for arm in ARMS:
        yield from folds(setup, arm)
        yield final(setup, arm)


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return what each arm's bundle would be worth."""
    return {arm: _arm(store, setup, arm) for arm in ARMS}


def _arm(store: ArtifactStore, setup: ExperimentSetup, arm: str) -> dict[str, Any]:
    validated = folds(setup, arm)
    calibrated = calibration.fit(
        predictions.held_out(store, validated, setup.truth), setup.truth.classes
    )
    scores = np.concatenate([store.load(task)["ood_score"] for task in validated])
    threshold = float(np.quantile(scores, 1 - calibration.OUT_OF_DISTRIBUTION_SHARE))

    outputs = store.load(final(setup, arm))
    classes = independent_test_set.truth(store, setup.grid)["classes"]
    logits, ood_score = (
        independent_test_set.outputs(outputs, setup.grid, n) for n in ("logits", "ood_score")
    )
    probabilities = calibrated.probabilities(logits)
    sets = calibrated.sets(probabilities)
    return {
        "fresh": {
            **predictions.figures(logits / calibrated.temperature, classes),
            "temperature": calibrated.temperature,
            "coverage": predictions.by_class(metrics.coverage(sets, classes)),
            "set_size": metrics.set_size(sets, classes),
            "abstained": float((sets.sum(axis=1) != 1).mean()),
            "turned_away": float((ood_score > threshold).mean()),
        },
        "risk_coverage": _risk_coverage(probabilities, classes),
        "neighbours": {
            kind: {
                "auroc": list(rejection.auroc(ood_score, outputs[f"ood_score_{kind}"])),
                "false_positive_rate": list(
                    rejection.false_positive_rate(ood_score, outputs[f"ood_score_{kind}"])
                ),
                "turned_away": float((outputs[f"ood_score_{kind}"] > threshold).mean()),
                "sure": _sure(calibrated, outputs, kind, threshold),
            }
            for kind in KINDS
        },
    }


def _classifier(setup: ExperimentSetup, split: Split, arm: str, judged: dict[str, Task]) -> Task:
    more = dict(judged)
    data = TrainingSet(setup.classic)
    if arm == "gan":
        data = TrainingSet(setup.classic, setup.synthetic)
        more |= generators(setup.protocol, split, classic=setup.classic)
    return classifier(setup.protocol, split, data, more=more, keep=Keep(ood_score=True))


def _sure(calibrated: calibration.Calibrated, outputs: Any, kind: str, threshold: float) -> float:
    """Return the share of a kind that gets one class and is not turned away: a service's error."""
    sets = calibrated.sets(calibrated.probabilities(outputs[f"logits_{kind}"]))
    return float(((sets.sum(axis=1) == 1) & (outputs[f"ood_score_{kind}"] <= threshold)).mean())


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


ANALYSIS = Analysis(
    "deployment",
    "calibration, coverage, rejection",
    tasks=tasks,
    results=results,
    sections=(report.section,),
)
