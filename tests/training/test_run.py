"""The run as a whole: what it leaves, that it can be cut anywhere, that no test patient leaks."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from training import fits, run, stage
from training.datasets import to_unit
from training.folds import FOLDS
from training.presets import PAPER, SMOKE


def test_every_lesion_is_judged_once_by_networks_that_never_saw_its_patient(smoke_run, cut):
    said = run.held_out(smoke_run, lesions=len(cut.classes))
    assert sorted(set(said.fold)) == list(range(FOLDS))
    by_patient = {}
    for patient, fold in zip(cut.patient_ids, said.fold, strict=True):
        assert by_patient.setdefault(patient, fold) == fold
    assert all(np.isfinite(logits).all() for logits in said.logits.values())
    assert np.isfinite(said.score).all()


def test_no_held_out_pixel_reaches_a_folds_networks(cut, tmp_path, monkeypatch):
    """Poison each held-out lesion: the fold's training sets must not contain the poison."""
    seen = []
    original = fits.training_set
    monkeypatch.setattr(
        fits, "training_set", lambda *a: seen.append((a[0], original(*a))) or seen[-1][1]
    )
    run.train(cut, SMOKE, seed=3, folder=tmp_path, resume=False)
    assert len(seen) == FOLDS * len(fits.ARMS) + 1
    unit = torch.from_numpy(to_unit(cut.originals))
    for part, data in seen:
        for row in range(len(cut.classes)):
            present = bool((data.images == unit[row]).all(dim=(1, 2)).any())
            assert present == bool(part.chosen[row])


def test_leaves_pictures_curves_and_the_resolved_preset(smoke_run):
    for home in [*(f"fold-{k}" for k in range(FOLDS)), "final"]:
        assert list((smoke_run / home).glob("generator*.png"))
        assert (smoke_run / home / "classifier-synthetic.losses.png").is_file()
        assert not list((smoke_run / home).glob("*.checkpoint"))
    assert json.loads((smoke_run / "resolved.json").read_text())["preset"]["name"] == "smoke"


class PowerCutError(Exception):
    """The power went out."""


@pytest.mark.parametrize("after", [2, 9])
def test_an_interrupted_run_ends_with_the_same_weights(
    after, smoke_run, cut, tmp_path, monkeypatch
):
    monkeypatch.setattr(stage, "_SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    record, calls = stage.Journal.record, []

    def failing(self, *args):
        record(self, *args)
        calls.append(args)
        if len(calls) == after:
            raise PowerCutError

    monkeypatch.setattr(stage.Journal, "record", failing)
    with pytest.raises(PowerCutError):
        run.train(cut, SMOKE, seed=7, folder=tmp_path, resume=False)
    monkeypatch.setattr(stage.Journal, "record", record)
    run.train(cut, SMOKE, seed=7, folder=tmp_path, resume=True)
    files = sorted(path.relative_to(smoke_run) for path in smoke_run.rglob("*.pt"))
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.pt"))
    for file in files:
        _assert_equal(stage.load(smoke_run / file), stage.load(tmp_path / file), str(file))


def _assert_equal(one, other, where):
    if isinstance(one, torch.Tensor):
        assert torch.equal(one, other), where
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key, value in one.items():
            _assert_equal(value, other[key], f"{where}:{key}")
    else:
        assert one == other, where


def test_another_seed_gives_other_weights(smoke_run, cut, tmp_path):
    run.train(cut, SMOKE, seed=8, folder=tmp_path, resume=False)
    one, other = (
        stage.load(folder / "final" / "classifier-synthetic.pt")["weights"]["scores.weight"]
        for folder in (smoke_run, tmp_path)
    )
    assert not torch.equal(one, other)


def test_refuses_a_folder_that_holds_a_run(smoke_run, cut):
    with pytest.raises(RuntimeError, match="--resume"):
        run.train(cut, SMOKE, seed=7, folder=smoke_run, resume=False)
    with pytest.raises(RuntimeError, match="other settings"):
        run.train(cut, PAPER, seed=7, folder=smoke_run, resume=True)


def test_two_processes_cannot_share_a_folder(tmp_path):
    script = (
        "import sys, pathlib; from training.stage import exclusive\n"
        f"with exclusive(pathlib.Path({str(tmp_path)!r})): pass\n"
    )
    with stage.exclusive(tmp_path):
        other = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=False
        )
    assert other.returncode != 0
    assert "another process" in other.stderr


def test_training_needs_no_dicom_and_no_pydantic(cut, tmp_path, smoke_run):
    """What a GPU machine lacks is blocked; the train verb runs all the same."""
    folder = tmp_path / "run"
    shutil.copytree(smoke_run / "fold-0", folder / "fold-0")
    script = """
import sys
for name in ("pydicom", "highdicom", "pydantic", "onnx", "onnxruntime", "bentoml", "matplotlib"):
    sys.modules[name] = None
import training.run, training.patches, training.__main__
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(run.__file__).parents[1])
