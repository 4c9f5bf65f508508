"""What is counted of a grid is what its tasks do."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import grid
from training.networks.cuda_graphs import CapturedStep
from training.presets import SMOKE_GRID
from training.reproduction.tasks.classifier import CLASSIFIER
from training.reproduction.tasks.generator import GENERATOR
from training.settings import CnnSettings

#: By epochs, as the paper counts, and by updates.
EPOCHS = replace(SMOKE_GRID, cnn=CnnSettings(epochs=2, batch=16), updates=None)
UPDATES = replace(SMOKE_GRID, gans=(replace(SMOKE_GRID.gans[0], updates=3), *SMOKE_GRID.gans[1:]))


@pytest.fixture(scope="module")
def cohort():
    """Noise in the form of the preset's cohort."""
    lesions = sum(SMOKE_GRID.counts)
    hu = np.random.default_rng(0).normal(100, 20, (lesions, 64, 64)).astype(np.float32)
    return {
        "lesion_ids": np.arange(lesions).astype(str),
        "patient_ids": np.arange(lesions).astype(str),
        "classes": np.repeat([0, 1, 2], SMOKE_GRID.counts),
        "diameter_mm": np.full(lesions, 20.0),
        "originals": hu,
        "variants": np.repeat(hu[:, None], SMOKE_GRID.augmentation.count, axis=1).astype(
            np.float16
        ),
    }


@pytest.mark.parametrize("experiment", [EPOCHS, UPDATES], ids=["epochs", "updates"])
@pytest.mark.parametrize("kind", [CLASSIFIER, GENERATOR], ids=lambda kind: kind.name)
def test_as_many_updates_are_counted_as_are_taken(experiment, kind, cohort, monkeypatch):
    taken = []
    run = CapturedStep.run
    monkeypatch.setattr(
        CapturedStep, "run", lambda self, these: (taken.extend(these), run(self, these))
    )
    every = grid.topological_order(grid._tasks(experiment), done=lambda _: False)
    task = next(c for c in every if c.kind is kind and set(c.inputs) == {"cohort"})
    kind.compute(task.config, {"cohort": cohort})
    count = grid._cnn_updates if kind is CLASSIFIER else grid._gan_updates
    assert taken
    assert len(taken) == count(task.config, grid._lesions(task))


def test_the_arithmetic_of_the_papers_classifier():
    assert grid._flop(grid.Network("CNN", CnnSettings())) == pytest.approx(10.8e9, rel=0.01)
