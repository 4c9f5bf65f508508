"""What tests of schedulers share."""

import os
from collections.abc import Callable, Iterator

import pytest

from training.pipeline.artifacts import ArtifactStore


@pytest.fixture
def files() -> Callable[[ArtifactStore], dict[str, bytes]]:
    """Return every array of a store, byte by byte."""

    def read(store: ArtifactStore) -> dict[str, bytes]:
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
