"""Graphs are run only where they are what the manifest says, and compute what they computed."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

import service.engine
from lesion.errors import BundleError
from service.engine import load
from service.noise import TILE
from training.phantom.classes import CLASSES, LesionClass


def test_the_bundle_passes_its_self_test(bundle):
    engine = load(bundle, "cpu")
    assert set(engine.generators) == set(CLASSES)
    session = engine.classifier.get_session_options()
    assert session.intra_op_num_threads == session.inter_op_num_threads == 1
    assert session.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_saliency_is_computed_only_when_asked_for(bundle):
    engine = load(bundle, "cpu")
    patch_hu = bundle.golden["patch_hu"].astype(np.float32)
    assert engine.classify(patch_hu, saliency=False).saliency is None
    shape = engine.classify(patch_hu, saliency=True).saliency.shape
    assert shape[:2] == (len(patch_hu), len(CLASSES))


@pytest.mark.parametrize(
    "name", ["probabilities", "out_of_distribution", "patch_hu_cyst", "patch_hu_hemangioma"]
)
@pytest.mark.parametrize("fault", ["other", "nan", "short", "missing"])
def test_other_results_than_the_golden_ones_are_refused(bundle, name, fault):
    golden = dict(bundle.golden)
    if fault == "missing":
        del golden[name]
    else:
        golden[name] = {
            "other": golden[name] * 1.5 + 1,
            "nan": golden[name] * np.nan,
            "short": golden[name][:-1],
        }[fault]
    with pytest.raises(BundleError, match=name):
        load(replace(bundle, golden=golden), "cpu")


def test_a_graph_that_is_none_is_refused(bundle):
    with pytest.raises(BundleError, match=r"classifier: .* no graph"):
        load(replace(bundle, classifier=b"no graph"), "cpu")


def test_a_graph_of_another_interface_is_refused(bundle):
    with pytest.raises(BundleError, match=r"classifier\.inputs: .*z"):
        load(replace(bundle, classifier=bundle.generators[LesionClass.CYST]), "cpu")


def test_cuda_is_not_replaced_by_the_cpu(bundle):
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("there is CUDA here")
    with pytest.raises(BundleError, match=r"cuda|CUDA"):
        load(bundle, "cuda")


@pytest.fixture
def sizes(monkeypatch):
    """Let what is asked of CUDA run on the CPU; return the sizes of the batches that are run."""
    monkeypatch.setitem(service.engine._PROVIDERS, "cuda", [("CPUExecutionProvider", {})])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: None)
    run, seen = onnxruntime.InferenceSession.run, []

    def spy(session, names, inputs, *more):
        (array,) = inputs.values()
        seen.append((next(iter(inputs)), len(array), "saliency" in names))
        return run(session, names, inputs, *more)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", spy)
    return seen


@pytest.mark.parametrize(
    ("largest_batch", "expected"), [(1, {1}), (4, {1, 2, 4}), (5, {1, 2, 4, 8})]
)
def test_on_cuda_every_size_has_run_before_it_is_ready(bundle, sizes, largest_batch, expected):
    engine = load(bundle, "cuda", largest_batch=largest_batch)
    for saliency in (False, True):
        assert {n for name, n, maps in sizes if name == "patch_hu" and maps is saliency} >= expected
    assert [entry for entry in sizes if entry[:2] == ("z", TILE)] != []
    sizes.clear()
    for n in range(1, largest_batch + 1):
        engine.classify(np.zeros((n, 64, 64), np.float32), saliency=False)
    assert {n for _, n, _ in sizes} == expected


@pytest.mark.parametrize("saliency", [False, True])
def test_filling_a_batch_up_changes_no_answer(bundle, sizes, saliency):
    bare, filled = load(bundle, "cpu"), load(bundle, "cuda", largest_batch=8)
    rng = np.random.default_rng(0)
    for n in range(1, 9):
        patch_hu = rng.normal(60, 40, (n, 64, 64)).astype(np.float32)
        for one, other in zip(
            bare.classify(patch_hu, saliency=saliency),
            filled.classify(patch_hu, saliency=saliency),
            strict=True,
        ):
            if one is None:
                assert other is None
                continue
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_on_the_cpu_a_batch_runs_as_it_comes(bundle, sizes):
    engine = load(bundle, "cpu", largest_batch=16)
    sizes.clear()
    engine.classify(np.zeros((3, 64, 64), np.float32), saliency=False)
    assert sizes == [("patch_hu", 3, False)]
