"""The run as a whole: what it leaves, that it can be cut anywhere, that no test patient leaks."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from lesion.errors import RunError
from lesion.roi import MARGIN
from training.data import patches
from training.data.datasets import to_unit
from training.data.folds import FOLDS
from training.data.training_sets import ARMS
from training.export import manifest_figures
from training.networks import classifier, generators
from training.phantom.classes import CLASSES
from training.pipeline import checkpoints, cross_validation
from training.presets import PAPER_BUNDLE, SMOKE_BUNDLE


def test_every_lesion_is_judged_once_by_networks_that_never_saw_its_patient(smoke_run, cut):
    outputs = cross_validation.load_held_out(smoke_run, lesions=len(cut.classes))
    assert sorted(set(outputs.fold)) == list(range(FOLDS))
    by_patient = {}
    for patient, fold in zip(cut.patient_ids, outputs.fold, strict=True):
        assert by_patient.setdefault(patient, fold) == fold
    assert all(np.isfinite(logits).all() for logits in outputs.logits.values())
    assert np.isfinite(outputs.score).all()


@pytest.fixture(scope="module")
def spied_run(cut, tmp_path_factory):
    """A run with another seed: its folder, and every image that each network trains on."""
    folder, seen = tmp_path_factory.mktemp("other"), []

    def spied(train):
        def spy(data, *args, log, **more):
            seen.append((log.path.parent.name, data.images.cpu().numpy()))
            return train(data, *args, log=log, **more)

        return spy

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classifier, "train", spied(classifier.train))
        for name, kind in generators.KINDS.items():
            patch.setitem(generators.KINDS, name, replace(kind, train=spied(kind.train)))
        cross_validation.run(cut, SMOKE_BUNDLE, seed=8, folder=folder, resume=False)
    return folder, seen


def test_no_held_out_pixel_reaches_a_folds_networks(cut, spied_run):
    """Every image that any network trains on is looked up among the held-out lesions' own."""
    folder, seen = spied_run
    fold = cross_validation.load_held_out(folder, lesions=len(cut.classes)).fold
    own = [
        {image.tobytes() for image in to_unit(np.concatenate([original[None], variants]))}
        for original, variants in zip(cut.originals, cut.variants, strict=True)
    ]
    assert len(seen) == FOLDS * (1 + len(ARMS)) + len(CLASSES) + 1
    for home, images in seen:
        trained_on = {image.tobytes() for image in images}
        met = [bool(lesion & trained_on) for lesion in own]
        held_out = fold == int(home[-1]) if home != "final" else np.zeros(len(fold), bool)
        assert any(met)
        assert not np.any(held_out & met)


def test_leaves_pictures_curves_and_the_resolved_preset(smoke_run):
    for home in [*(f"fold-{k}" for k in range(FOLDS)), "final"]:
        assert list((smoke_run / home).glob("generator*.png"))
        assert (smoke_run / home / "classifier-gan.losses.png").is_file()
        assert not list((smoke_run / home).glob("*.checkpoint"))
    assert json.loads((smoke_run / "resolved.json").read_text())["preset"]["name"] == "smoke"


class PowerCutError(Exception):
    """The power went out."""


def test_a_run_that_is_interrupted_twice_ends_with_the_same_weights(
    smoke_run, cut, tmp_path, monkeypatch
):
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    record, calls = checkpoints.CheckpointedLog.record, []

    def failing(self, *args):
        record(self, *args)
        calls.append(args)
        if len(calls) in (2, 11):
            raise PowerCutError

    monkeypatch.setattr(checkpoints.CheckpointedLog, "record", failing)
    for resume in (False, True):
        with pytest.raises(PowerCutError):
            cross_validation.run(cut, SMOKE_BUNDLE, seed=7, folder=tmp_path, resume=resume)
    cross_validation.run(cut, SMOKE_BUNDLE, seed=7, folder=tmp_path, resume=True)
    files = sorted(path.relative_to(smoke_run) for path in smoke_run.rglob("*.pt"))
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.pt"))
    for file in files:
        _assert_equal(
            checkpoints.load(smoke_run / file), checkpoints.load(tmp_path / file), str(file)
        )


def _assert_equal(one, other, where):
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key, value in one.items():
            _assert_equal(value, other[key], f"{where}:{key}")
    else:
        assert one == other, where


def test_another_seed_gives_other_weights(smoke_run, spied_run):
    one, other = (
        checkpoints.load(folder / "final" / "classifier-gan.pt")["weights"]["scores.weight"]
        for folder in (smoke_run, spied_run[0])
    )
    assert not torch.equal(one, other)


def test_refuses_a_folder_that_holds_a_run(smoke_run, cut):
    with pytest.raises(RunError, match="--resume"):
        cross_validation.run(cut, SMOKE_BUNDLE, seed=7, folder=smoke_run, resume=False)
    with pytest.raises(RunError, match=r"other settings \(seed\)"):
        cross_validation.run(cut, SMOKE_BUNDLE, seed=8, folder=smoke_run, resume=True)
    with pytest.raises(RunError, match="other settings"):
        cross_validation.load_final(smoke_run, replace(SMOKE_BUNDLE, classic_per_fold=25))


def test_refuses_to_go_on_with_what_would_end_elsewhere(smoke_run, cut, monkeypatch):
    """Another seed of the cut is other patches; another number of threads sums in another order."""
    told = json.loads((smoke_run / "resolved.json").read_text())
    assert told["cut"] == {"variants": 6, "seed": 7, "margin": MARGIN}
    assert told["threads"] == torch.get_num_threads()
    other = replace(cut, cut=cut.cut | {"seed": 8})
    with pytest.raises(RunError, match=r"other settings \(cut\)"):
        cross_validation.run(other, SMOKE_BUNDLE, seed=7, folder=smoke_run, resume=True)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    with pytest.raises(RunError, match=r"other settings \(threads\)"):
        cross_validation.run(cut, SMOKE_BUNDLE, seed=7, folder=smoke_run, resume=True)


def test_refuses_patches_that_another_preset_cut(cut, tmp_path):
    """Silently, a group of 5000 would come out as what there is."""
    with pytest.raises(RunError, match="found 6 augmentations of each lesion, expected 480"):
        cross_validation.run(cut, PAPER_BUNDLE, seed=7, folder=tmp_path, resume=False)


def test_refuses_a_generator_that_there_is_not_before_anything_is_trained(cut, tmp_path):
    wrong = replace(SMOKE_BUNDLE, final_gan=replace(SMOKE_BUNDLE.final_gan, kind="biggan"))
    with pytest.raises(RunError, match="found the generator 'biggan'"):
        cross_validation.run(cut, wrong, seed=7, folder=tmp_path, resume=False)
    assert not list(tmp_path.glob("fold-*"))


def test_two_processes_cannot_share_a_folder(tmp_path):
    script = (
        "import sys, pathlib; from training.pipeline.checkpoints import lock_folder\n"
        f"with lock_folder(pathlib.Path({str(tmp_path)!r})): pass\n"
    )
    with checkpoints.lock_folder(tmp_path):
        other = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
    assert other.returncode != 0
    assert "another process" in other.stderr


def test_the_train_verb_needs_no_dicom_and_no_pydantic(cohort, smoke_run, tmp_path):
    """What a GPU machine lacks is blocked; a run's last networks are trained all the same."""
    folder = tmp_path / "run"
    shutil.copytree(smoke_run, folder)
    patches.cut_cohort(cohort, folder / "patches", augmentation=SMOKE_BUNDLE.augmentation, seed=7)
    last = [folder / "final" / f"{n}.pt" for n in ("classifier-gan", "out-of-distribution")]
    for path in last:
        path.unlink()
    script = """
import sys
for name in ("pydicom", "highdicom", "pydantic", "onnx", "onnxruntime", "bentoml", "matplotlib"):
    sys.modules[name] = None
from training.cli import main
main()
"""
    options = ["train", "--preset", "smoke", "--seed", "7", "--run", str(folder), "--resume"]
    root = Path(cross_validation.__file__).parents[2]
    subprocess.run([sys.executable, "-c", script, *options], check=True, cwd=root)
    for path in last:
        _assert_equal(
            checkpoints.load(smoke_run / "final" / path.name), checkpoints.load(path), path.name
        )


def test_a_bundle_of_the_classic_arm_tries_what_it_adds_to_and_no_more(cut, tmp_path):
    preset = replace(SMOKE_BUNDLE, arm="classic")
    cross_validation.run(cut, preset, seed=7, folder=tmp_path, resume=False)
    assert not list(tmp_path.glob("fold-*/generator*"))  # no fold needs one
    assert list(tmp_path.glob("final/generator-*.pt"))  # the bundle does
    held_out = cross_validation.load_held_out(tmp_path, lesions=len(cut.classes))
    assert list(held_out.logits) == ["none", "classic"]
    assert held_out.shipped is held_out.logits["classic"]
    told = json.loads((tmp_path / "resolved.json").read_text())
    assert told["preset"]["arm"] == "classic"
    assert told["precision"] in {"bfloat16", "float32"}
    assert list(manifest_figures.evaluation(cut, held_out)["arms"]) == ["none", "classic"]
    assert cross_validation.load_final(tmp_path, preset).generators
