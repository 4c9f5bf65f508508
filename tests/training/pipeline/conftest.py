"""A workshop of tiny cells."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from training.pipeline.artifacts import Store

from .workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    folder = tmp_path / "began"
    folder.mkdir()
    return Workshop(folder)


@pytest.fixture
def files() -> Callable[[Store], dict[str, bytes]]:
    """Return every array of a store, byte by byte."""

    def read(store: Store) -> dict[str, bytes]:
        return {
            path.relative_to(store.folder).as_posix(): path.read_bytes()
            for path in store.folder.glob("??/*/*.npy")
        }

    return read


@pytest.fixture(scope="module", autouse=True)
def own_environment() -> Iterator[None]:
    """Take back what engines set for their workers."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)
