from dataclasses import replace

import pytest
import torch

from training.data.datasets import Labelled
from training.networks import classifier
from training.pipeline import checkpoints
from training.pipeline.progress import epoch_bars
from training.settings import CnnSettings

CONSTANT = CnnSettings(epochs=3, batch=8)
ONE_CYCLE = replace(CONSTANT, learning_rate=0.02, weight_decay=0.0005, schedule="onecycle")


@pytest.fixture(scope="module")
def data():
    images = torch.rand(20, 64, 64, generator=torch.Generator().manual_seed(0))
    return Labelled(images, torch.arange(20) % 3, 3)


class Interrupted(checkpoints.CheckpointedLog):
    """A journal that is cut off after the second epoch's checkpoint."""

    def record(self, epoch, losses, parts):
        super().record(epoch, losses, parts)
        if epoch == 2:
            raise KeyboardInterrupt


@pytest.mark.parametrize("preset", [CONSTANT, ONE_CYCLE], ids=["constant", "one cycle"])
def test_interrupted_training_ends_with_the_same_weights(preset, data, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN_CHECKPOINTS", -1.0)

    def train(name, log):
        told = log(tmp_path / name, epoch_bars(), preset.epochs)
        return classifier.train(data, preset, seed=1, log=told).network.state_dict()

    whole = train("whole", checkpoints.CheckpointedLog)
    with pytest.raises(KeyboardInterrupt):
        train("cut", Interrupted)
    resumed = train("cut", checkpoints.CheckpointedLog)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_subtracts_the_mean_of_the_training_images(data, tmp_path):
    log = checkpoints.CheckpointedLog(tmp_path / "cnn", epoch_bars(), 1)
    trained = classifier.train(data, replace(CONSTANT, epochs=1), seed=1, log=log)
    assert trained.mean == pytest.approx(data.images.mean().item())
    said = classifier.predict(trained, data.images)
    with torch.no_grad():
        expected = trained.network((data.images - data.images.mean()).unsqueeze(1))
    torch.testing.assert_close(said.logits, expected)
    assert said.features.shape == (20, 256)


@pytest.mark.parametrize("preset", [CONSTANT, ONE_CYCLE], ids=["constant", "one cycle"])
def test_as_many_updates_as_the_epochs_have_change_nothing(preset, data, tmp_path):
    def train(name, preset):
        log = checkpoints.CheckpointedLog(tmp_path / name, epoch_bars(), 3)
        return classifier.train(data, preset, seed=1, log=log).network.state_dict()

    epochs = train("epochs", preset)  # 3 of 3 batches
    updates = train("updates", replace(preset, epochs=1, updates=9))
    assert all(torch.equal(epochs[name], updates[name]) for name in epochs)


@pytest.mark.parametrize(("updates", "epochs"), [(1, 1), (3, 1), (4, 2), (7, 3)])
def test_the_last_epoch_is_cut_short(updates, epochs, data, tmp_path, monkeypatch):
    taken = []
    step = classifier.Nesterov.step
    monkeypatch.setattr(classifier.Nesterov, "step", lambda self: (taken.append(1), step(self)))
    preset = replace(ONE_CYCLE, updates=updates)
    log = checkpoints.CheckpointedLog(tmp_path / "cnn", epoch_bars(), epochs)
    classifier.train(data, preset, seed=1, log=log)
    assert len(taken) == updates
    assert len((tmp_path / "cnn.jsonl").read_text().splitlines()) == epochs
    assert classifier.epochs(preset, len(data.images)) == epochs


def test_one_cycle_spans_the_updates():
    rates = classifier._rates(replace(ONE_CYCLE, updates=50), 50)
    learning_rates, momenta = zip(*rates, strict=True)
    assert max(learning_rates) == pytest.approx(0.02)
    assert learning_rates.index(max(learning_rates)) == 14  # 30 % of the way
    assert learning_rates[-1] < 1e-6
    assert (max(momenta), min(momenta)) == pytest.approx((0.95, 0.85))
