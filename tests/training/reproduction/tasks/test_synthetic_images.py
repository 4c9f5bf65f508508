"""Generators' images among a task's inputs."""

import numpy as np
import pytest
import torch

from lesion.errors import RunError
from training.phantom.classes import CLASSES
from training.reproduction.tasks.synthetic_images import sources


@pytest.fixture
def of_all():
    return np.random.default_rng(0).random((3, 4, 64, 64)).astype(np.float16)


@pytest.mark.parametrize("per_class", [False, True])
def test_are_taken_from_one_network_or_from_one_for_each_class(per_class, of_all, discs, store):
    inputs = {"cohort": store.load(discs), "synthetic": {"images": of_all}}
    if per_class:
        del inputs["synthetic"]
        inputs |= {f"synthetic-{c}": {"images": of_all[k : k + 1]} for k, c in enumerate(CLASSES)}
    take = sources(inputs).synthetic
    for label in range(3):
        expected = torch.from_numpy(of_all[label, :3].astype(np.float32))
        assert torch.equal(take(label, 3), expected)
    with pytest.raises(RunError, match="found 4 synthetic images of a class, expected 5"):
        take(0, 5)
