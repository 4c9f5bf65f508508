from dataclasses import replace

import pytest
import torch

from training import cnn, stage
from training.datasets import Labelled
from training.presets import CnnPreset

CONSTANT = CnnPreset(epochs=3, batch=8)
ONE_CYCLE = replace(CONSTANT, learning_rate=0.02, weight_decay=0.0005, schedule="onecycle")


@pytest.fixture(scope="module")
def data():
    images = torch.rand(20, 64, 64, generator=torch.Generator().manual_seed(0))
    return Labelled(images, torch.arange(20) % 3)


class Interrupted(stage.Journal):
    """A journal that is cut off after the second epoch's checkpoint."""

    def record(self, epoch, losses, parts):
        super().record(epoch, losses, parts)
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("preset", [CONSTANT, ONE_CYCLE], ids=["constant", "one cycle"])
def test_interrupted_training_ends_with_the_same_weights(preset, data, tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "_SECONDS_BETWEEN_CHECKPOINTS", -1.0)

    def train(name, journal):
        told = journal(tmp_path / name, stage.bars(), preset.epochs)
        return cnn.train(data, preset, seed=1, journal=told).network.state_dict()

    whole = train("whole", stage.Journal)
    with pytest.raises(KeyboardInterrupt):
        train("cut", Interrupted)
    resumed = train("cut", stage.Journal)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_subtracts_the_mean_of_the_training_images(data, tmp_path):
    journal = stage.Journal(tmp_path / "cnn", stage.bars(), 1)
    trained = cnn.train(data, replace(CONSTANT, epochs=1), seed=1, journal=journal)
    assert trained.mean == pytest.approx(data.images.mean().item())
    said = cnn.read(trained, data.images)
    with torch.no_grad():
        expected = trained.network((data.images - data.images.mean()).unsqueeze(1))
    torch.testing.assert_close(said.logits, expected)
    assert said.features.shape == (20, 256)
