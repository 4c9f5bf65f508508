"""Results: whole or not at all."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from lesion import durable
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.origin import Origin
from training.pipeline.tasks import Task
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt

CELL = Task(EXCERPT, Excerpt(("images",), 3), label="an excerpt")
KINDS = st.one_of(
    arrays_of.floating_dtypes(), arrays_of.integer_dtypes(), arrays_of.boolean_dtypes(),
    arrays_of.unicode_string_dtypes(),
)  # fmt: skip


@settings(max_examples=20)
@given(
    array=arrays_of.arrays(KINDS, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0)),
    turned=st.booleans(),
)
def test_an_array_comes_back_bit_for_bit(array, turned):
    array = array.T if turned else array
    with TemporaryDirectory() as folder:
        store = ArtifactStore(Path(folder))
        store.save(CELL, {"one": array, "other.two": array}, Origin(seconds=0.0))
        loaded = store.load(CELL)
        assert list(loaded) == ["one", "other.two"]
        for found in loaded.values():
            assert found.dtype == array.dtype
            assert found.shape == array.shape
            assert found.tobytes() == array.tobytes()


def test_a_result_is_found_by_what_it_is_and_says_so(store):
    assert not store.has(CELL)
    with pytest.raises(FileNotFoundError, match="an excerpt: no result yet"):
        store.load(CELL)
    store.save(CELL, {"x": np.arange(3)}, Origin(seconds=1.23456))
    assert store.has(replace(CELL, label="called otherwise"))
    assert not store.has(replace(CELL, config=Excerpt(("images",), 4)))
    assert store.seconds(CELL) == 1.235
    card = json.loads((store.path(CELL) / "artifact.json").read_text())
    assert card == {**CELL.identity(), "config": {"arrays": ["images"], "rows": 3},
                    "label": "an excerpt", "seconds": 1.235, "device": None,
                    "torch": None, "precision": None}  # fmt: skip


def test_what_made_a_result_is_kept_beside_it_and_names_nothing(store):
    store.save(CELL, {"x": np.arange(3)}, Origin(seconds=1.23456, device="cpu: A", torch="2.13"))
    assert store.origin(CELL) == (1.235, "cpu: A", "2.13", None)
    assert store.path(CELL) == store.folder / CELL.digest[:2] / CELL.digest[2:]


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "/root", "a b", "new\nline"])
def test_a_name_that_is_no_file_name_is_refused(store, name):
    with pytest.raises(ValueError, match="found an array named"):
        store.save(CELL, {name: np.zeros(1)}, Origin(seconds=0.0))
    assert not store.folder.exists()


def test_objects_are_refused_and_leave_nothing(store):
    with pytest.raises(ValueError, match="Object arrays"):
        store.save(CELL, {"a": np.zeros(1), "b": np.array([object()])}, Origin(0.0))
    assert not store.has(CELL)
    assert not list(store.folder.glob("??/*"))


def test_a_process_that_is_killed_in_mid_write_leaves_no_result(store):
    script = """
import os, signal, sys
from pathlib import Path
import numpy as np
from training.pipeline.tasks import Task
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.origin import Origin
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt

class Last:
    def __array__(self, dtype=None, copy=None):
        os.kill(os.getpid(), signal.SIGKILL)

task = Task(EXCERPT, Excerpt(("images",), 3))
ArtifactStore(Path(sys.argv[1])).save(task, {"a": np.arange(5), "b": Last()}, Origin(seconds=0.0))
"""
    killed = subprocess.run([sys.executable, "-c", script, store.folder], check=False)
    assert killed.returncode == -9
    assert [path.name for path in store.folder.glob("??/*/*.npy")] == ["a.npy"]  # so far it came
    assert not store.has(CELL)
    store.clean()
    assert not list(store.folder.glob("??/*"))
    store.save(CELL, {"a": np.arange(5)}, Origin(seconds=0.0))
    store.clean()
    np.testing.assert_array_equal(store.load(CELL)["a"], np.arange(5))


def test_where_another_process_is_faster_its_result_stays(store, monkeypatch):
    """While the result is written, another process saves the same."""
    write, seen = durable.write, []

    def overtaken(path, data):
        write(path, data)
        if not seen:
            seen.append(path)
            monkeypatch.setattr(os, "getpid", lambda: 1)
            store.save(CELL, {"a": np.arange(2)}, Origin(seconds=1.0))

    monkeypatch.setattr(durable, "write", overtaken)
    store.save(CELL, {"a": np.arange(2)}, Origin(seconds=9.0))
    assert store.seconds(CELL) == 1.0
    assert list(store.folder.glob("??/*")) == [store.path(CELL)]
