"""What a stage leaves is whole, and stays after a power cut."""

import json
import os
from pathlib import Path

import pytest
import torch

from training.pipeline import checkpoints

STATE = {"weights": torch.arange(1000.0)}


@pytest.mark.parametrize(
    ("write", "value", "read"),
    [
        (checkpoints.save, STATE, lambda path: checkpoints.load(path)["weights"].tolist()),
        (checkpoints.write_json, {"a": [1, 2]}, lambda path: json.loads(path.read_text())),
    ],
)
def test_bytes_are_on_the_disk_before_they_have_their_name(
    tmp_path, monkeypatch, write, value, read
):
    path = tmp_path / "fold-0" / "x"
    synced = []
    fsync = os.fsync

    def spy(handle):
        fsync(handle)
        synced.append((Path(f"/proc/self/fd/{handle}").readlink().name, path.exists()))

    monkeypatch.setattr(os, "fsync", spy)
    write(path, value)
    assert synced[-2:] == [("x.part", False), ("fold-0", True)]
    expected = value["weights"].tolist() if write is checkpoints.save else value
    assert read(path) == expected
