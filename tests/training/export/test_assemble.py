"""The bundle that a run becomes: same numbers as torch, and nothing left for a server to know."""

from pathlib import Path

import numpy as np
import onnx as onnx_format
import pytest
import torch

from lesion.bundle import read
from training.export import assemble, onnx
from training.export.graphs import ClassifierGraph, GeneratorGraph
from training.export.model_card import intended_use
from training.networks.architectures import OneClassGenerator
from training.phantom.classes import CLASSES
from training.pipeline import cross_validation, train_networks
from training.presets import SMOKE_BUNDLE

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models") / "smoke"


@pytest.fixture(scope="module")
def bundle(smoke_run, cut, folder):
    return assemble.bundle(cut, SMOKE_BUNDLE, folder=smoke_run, out=folder)


@pytest.fixture(scope="module")
def final(smoke_run):
    return cross_validation.load_final(smoke_run, SMOKE_BUNDLE)


def test_the_bundle_says_what_it_is(bundle):
    manifest = bundle.manifest
    assert manifest.cohort.simulated
    assert "simulated CT" in manifest.intended_use
    assert manifest.training.resolved["name"] == "smoke"
    assert sum(manifest.cohort.lesions.values()) == manifest.evaluation.lesions
    assert np.sum(manifest.evaluation.confusion) == manifest.evaluation.lesions


@pytest.mark.parametrize("which", ["exported", "shipped"])
def test_no_file_says_on_which_machine_it_was_made(bundle, which):
    files = bundle if which == "exported" else read.read(ROOT / "models/default")
    for graph in (files.classifier, *files.generators.values()):
        model = onnx_format.load_model_from_string(graph)
        assert not [node.name for node in model.graph.node if node.metadata_props]
        assert str(Path(torch.__file__).parents[1]).encode() not in graph
        assert b".py" not in graph


def test_the_graph_answers_from_hounsfield_units(bundle, final, cut):
    """Window, mean, temperature and softmax by hand, in float64, are the oracle."""
    patch_hu = cut.originals[:6]
    found = onnx.run(bundle.classifier, patch_hu)
    low, high = bundle.manifest.hu_window
    unit = np.clip((patch_hu - low) / (high - low), 0, 1) - final.classifier.mean
    with torch.no_grad():
        logits = final.classifier.network(torch.from_numpy(unit.astype(np.float32)).unsqueeze(1))
    exponent = np.exp(logits.double().numpy() / bundle.manifest.calibration.temperature)
    expected = exponent / exponent.sum(axis=1, keepdims=True)
    assert found["probabilities"] == pytest.approx(expected, abs=1e-4)
    assert found["features"].shape == (6, 256)


def test_saliency_explains_each_logit_exactly(final, cut):
    """HiResCAM sums to the logit less the bias terms (Draelos and Carin 2020)."""
    graph = ClassifierGraph(final.classifier, final.ood_score, temperature=1.0).eval()
    network = final.classifier.network
    with torch.no_grad():
        *_, features, saliency = graph(torch.from_numpy(cut.originals[:4]))
        firing = (features > 0).float()
        bias = (firing * network.hidden.bias) @ network.scores.weight.T + network.scores.bias
        expected = network.scores(features) - bias
    assert saliency.sum(dim=(2, 3)).numpy() == pytest.approx(expected.numpy(), abs=1e-4)


def test_a_cell_of_the_saliency_lies_over_what_it_saw(final, cut):
    network = final.classifier.network
    graph = ClassifierGraph(final.classifier, final.ood_score, temperature=1.0).eval()
    with torch.no_grad():
        *_, saliency = graph(torch.from_numpy(cut.originals[:1]))
    image = torch.rand(16, 1, 64, 64, requires_grad=True)
    maps = network.maps(image)
    border = (saliency.shape[-1] - maps.shape[-1]) // 2
    for cell in (0, 3, maps.shape[-1] - 1):
        (slope,) = torch.autograd.grad(maps[:, :, cell, 0].sum(), image, retain_graph=True)
        rows = slope.abs().sum(dim=(0, 1, 3)).nonzero()
        middle = (rows.min() + rows.max() + 1) / 2
        assert abs(middle - (cell + border + 0.5) * 64 / saliency.shape[-1]) <= 1


def test_generators_make_whole_hounsfield_units_within_the_window(bundle):
    z = np.random.default_rng(0).uniform(-1, 1, (5, 100)).astype(np.float32)
    low, high = bundle.manifest.hu_window
    for lesion_class in CLASSES:
        patch_hu = onnx.run(bundle.generators[lesion_class], z)["patch_hu"]
        assert patch_hu.shape == (5, 64, 64)
        assert np.array_equal(patch_hu, np.round(patch_hu))
        assert low <= patch_hu.min() < patch_hu.max() <= high


def test_a_conditional_generator_is_exported_for_its_class(smoke_run):
    network = train_networks.load_generators(smoke_run / "fold-0", SMOKE_BUNDLE.fold_gan, CLASSES)[
        2
    ]
    z = torch.rand(3, 100) * 2 - 1
    with torch.no_grad():
        image = network(z, torch.full((3,), 2)).squeeze(1)
        patch_hu = GeneratorGraph(OneClassGenerator(network, 2))(z)
    assert patch_hu.numpy() == pytest.approx(((image + 1) * 200 - 150).numpy(), abs=0.51)


def test_golden_vectors_hold_no_patient_pixel(bundle, cut):
    golden = bundle.golden["patch_hu"]
    generated = np.concatenate([bundle.golden[f"patch_hu_{c}"] for c in CLASSES])
    assert np.array_equal(golden, generated)
    found = onnx.run(bundle.classifier, golden)
    tolerance = bundle.manifest.golden.probability_tolerance
    assert found["probabilities"] == pytest.approx(bundle.golden["probabilities"], abs=tolerance)


def test_parity_notices_a_wrong_graph(bundle, final, cut):
    network = ClassifierGraph(final.classifier, final.ood_score, temperature=0.1)
    tolerance = dict.fromkeys(
        ("probabilities", "out_of_distribution", "features", "saliency"), 1e-4
    )
    with pytest.raises(onnx.ParityError, match="probabilities"):
        onnx.check_parity(network.eval(), bundle.classifier, cut.originals, tolerance=tolerance)


def test_a_site_that_trains_on_its_own_data_is_not_told_of_a_simulation():
    words = intended_use(["adenoma", "cyst"], simulated=False)
    assert "simulated" not in words
    assert "the classes adenoma, cyst; it knows no other lesion" in words
    assert "Not for diagnosis" in words


def test_reads_back_as_written(bundle, folder):
    again = read.read(folder)
    assert again.classifier == bundle.classifier
    assert again.manifest == bundle.manifest
