"""Graphs are run only where they are what the manifest says, and compute what they computed."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from lesion.classes import CLASSES, LesionClass
from lesion.errors import BundleError
from service.engine import load


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
