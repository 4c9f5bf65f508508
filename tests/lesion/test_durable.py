"""Bytes are on the disk before they have a name; a file is never half there."""

import os
from pathlib import Path

import pytest

from lesion import durable


@pytest.fixture
def disk(monkeypatch):
    """What is asked of the disk, in order: (what, the name that it is asked of)."""
    asked = []
    fsync, replace, mkdir = os.fsync, Path.replace, Path.mkdir

    def spy_fsync(handle):
        asked.append(("fsync", Path(f"/proc/self/fd/{handle}").readlink().name))
        fsync(handle)

    def spy_replace(path, target):
        asked.append(("replace", Path(target).name))
        return replace(path, target)

    def spy_mkdir(path, *args, **more):
        asked.append(("mkdir", path.name))
        mkdir(path, *args, **more)

    monkeypatch.setattr(os, "fsync", spy_fsync)
    monkeypatch.setattr(Path, "replace", spy_replace)
    monkeypatch.setattr(Path, "mkdir", spy_mkdir)
    return asked


def test_bytes_then_their_name_then_the_folders(tmp_path, disk):
    durable.write(tmp_path / "a" / "b" / "c.bin", b"new")
    assert (tmp_path / "a" / "b" / "c.bin").read_bytes() == b"new"
    assert disk == [
        ("mkdir", "a"),
        ("fsync", tmp_path.name),
        ("mkdir", "b"),
        ("fsync", "a"),
        ("fsync", "c.bin.part"),
        ("replace", "c.bin"),
        ("fsync", "b"),
    ]
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["c.bin"]


def test_nothing_is_left_to_be_written_when_the_disk_is_asked(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(os, "fsync", lambda handle: sizes.append(os.fstat(handle).st_size))
    with durable.opened(tmp_path / "x") as file:
        file.write(b"a" * 100)
    assert sizes[0] == 100


def test_what_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "x"
    durable.write(path, b"old")

    def interrupted():
        with durable.opened(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    durable.write(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
