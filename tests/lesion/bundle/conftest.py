"""A bundle of a few bytes: every file is there, and no graph in them is read."""

from io import BytesIO

import numpy as np
import pytest

from lesion.bundle.manifest import (
    CLASSIFIER_INPUTS,
    GENERATOR_INPUTS,
    GENERATOR_OUTPUTS,
    Calibration,
    Cohort,
    Estimate,
    Evaluation,
    File,
    Golden,
    Graph,
    Manifest,
    Reference,
    Tensor,
    Training,
)
from lesion.bundle.read import sha256
from lesion.bundle.write import write
from training.phantom.classes import CLASSES

OUTPUTS = (
    Tensor(name="probabilities", shape=("n", 3)),
    Tensor(name="out_of_distribution", shape=("n",)),
    Tensor(name="features", shape=("n", 8)),
    Tensor(name="saliency", shape=("n", 3, 4, 4)),
)


@pytest.fixture
def files():
    """The bytes of each file beside the manifest."""
    golden = BytesIO()
    np.savez(golden, patch_hu=np.zeros((1, 64, 64), np.float32))
    return {
        "classifier.onnx": b"a classifier",
        **{f"generator-{name}.onnx": f"a generator of {name}".encode() for name in CLASSES},
        "golden.npz": golden.getvalue(),
        "MODEL_CARD.md": b"# A card\n",
    }


@pytest.fixture
def manifest(files):
    """A manifest that fits them."""

    def file(name):
        return {"file": name, "sha256": sha256(files[name])}

    estimate = Estimate(value=0.5, low=0.4, high=0.6)
    return Manifest(
        name="test",
        version="1",
        created="2026-01-01T00:00:00Z",
        intended_use="Research only. Trained and evaluated on simulated CT. Not for diagnosis.",
        roi_margin=0.22,
        hu_window=(-160, 240),
        classifier=Graph(
            **file("classifier.onnx"), inputs=CLASSIFIER_INPUTS, outputs=OUTPUTS, parameters=10
        ),
        generators={
            name: Graph(
                **file(f"generator-{name}.onnx"),
                inputs=GENERATOR_INPUTS,
                outputs=GENERATOR_OUTPUTS,
                parameters=10,
            )
            for name in CLASSES
        },
        calibration=Calibration(
            temperature=1.0,
            coverage=0.9,
            conformal_quantile=dict.fromkeys(CLASSES, 0.8),
            out_of_distribution_threshold=3.0,
            out_of_distribution_share=0.05,
        ),
        golden=Golden(**file("golden.npz"), probability_tolerance=1e-4, hu_tolerance=1.0),
        evaluation=Evaluation(
            protocol="none",
            lesions=3,
            accuracy=estimate,
            sensitivity=dict.fromkeys(CLASSES, estimate),
            specificity=dict.fromkeys(CLASSES, estimate),
            negative_log_likelihood=1.0,
            expected_calibration_error=0.1,
            conformal_coverage=dict.fromkeys(CLASSES, estimate),
            confusion=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
            arms={},
        ),
        cohort=Cohort(
            name="none",
            fingerprint="0" * 64,
            simulated=True,
            patients=3,
            lesions=dict.fromkeys(CLASSES, 1),
        ),
        training=Training(preset="none", resolved={}, seed=0, packages={}, device="cpu"),
        classes=[{"name": name, "code": name.code._asdict()} for name in CLASSES],
        reference=Reference(
            patch_mean_hu={},
            patch_sd_hu={},
            diameter_mm={},
            predicted=dict.fromkeys(CLASSES, 0.3),
        ),
        model_card=File(**file("MODEL_CARD.md")),
    )


@pytest.fixture
def folder(tmp_path, manifest, files):
    """The bundle as it stands on disk."""
    write(tmp_path / "bundle", manifest, files)
    return tmp_path / "bundle"
