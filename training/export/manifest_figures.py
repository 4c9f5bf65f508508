"""What a run was worth, from its held-out outputs: the manifest's figures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from training.data.folds import FOLDS
from training.data.patches import Patches
from training.evaluation import calibration as calibrate
from training.evaluation import metrics
from training.pipeline.cross_validation import HeldOut

_QUANTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def evaluation(patches: Patches, held_out: HeldOut) -> dict[str, Any]:
    """Return the cross-validated figures, as `lesion.bundle.manifest.Evaluation` takes them."""
    truth, logits, names = patches.classes, held_out.shipped, patches.class_names
    counts = _confusion(truth, logits)
    probabilities, sets = calibrate.cross_fitted(logits, truth, held_out.fold)
    return {
        "protocol": f"{FOLDS}-fold cross-validation, patients apart, classes balanced; one run",
        "lesions": len(truth),
        "accuracy": metrics.accuracy(counts)._asdict(),
        "sensitivity": _by_class(names, metrics.sensitivity(counts)),
        "specificity": _by_class(names, metrics.specificity(counts)),
        "negative_log_likelihood": metrics.negative_log_likelihood(probabilities, truth),
        "expected_calibration_error": metrics.expected_calibration_error(probabilities, truth),
        "conformal_coverage": _by_class(names, metrics.coverage(sets, truth)),
        "confusion": counts.tolist(),
        "arms": {
            arm: metrics.accuracy(_confusion(truth, of_arm))._asdict()
            for arm, of_arm in held_out.logits.items()
        },
    }


def calibration(patches: Patches, held_out: HeldOut) -> dict[str, Any]:
    """Return what turns outputs into answers, as `lesion.bundle.manifest.Calibration` takes it."""
    calibrated = calibrate.fit(held_out.shipped, patches.classes)
    share = calibrate.OUT_OF_DISTRIBUTION_SHARE
    return {
        "temperature": calibrated.temperature,
        "coverage": calibrate.COVERAGE,
        "conformal_quantile": dict(
            zip(patches.class_names, calibrated.quantile.tolist(), strict=True)
        ),
        "out_of_distribution_threshold": float(np.quantile(held_out.score, 1 - share)),
        "out_of_distribution_share": share,
    }


def reference(patches: Patches, held_out: HeldOut) -> dict[str, Any]:
    """Return the distributions that a server can watch for drift."""
    names, logits = patches.class_names, held_out.shipped
    predicted = np.bincount(logits.argmax(axis=1), minlength=len(names))
    return {
        "patch_mean_hu": _quantiles(patches.originals.mean(axis=(1, 2))),
        "patch_sd_hu": _quantiles(patches.originals.std(axis=(1, 2))),
        "diameter_mm": _quantiles(patches.diameter_mm),
        "predicted": dict(zip(names, (predicted / predicted.sum()).tolist(), strict=True)),
    }


def _confusion(
    truth: Int[np.ndarray, " n"], logits: Float[np.ndarray, "n c"]
) -> Int[np.ndarray, "c c"]:
    return metrics.confusion(truth, logits.argmax(axis=1), classes=logits.shape[1])


def _by_class(
    names: Sequence[str], intervals: list[metrics.Interval]
) -> dict[str, dict[str, float]]:
    return {name: one._asdict() for name, one in zip(names, intervals, strict=True)}


def _quantiles(values: Float[np.ndarray, " n"]) -> dict[str, float]:
    return {str(q): round(float(np.quantile(values, q)), 4) for q in _QUANTILES}
