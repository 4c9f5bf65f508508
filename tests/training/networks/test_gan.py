"""A generator's training: what later work added for small data can be interrupted too."""

from dataclasses import replace

import pytest
import torch

from training.data.datasets import Labelled
from training.networks import gan
from training.networks.generators import kind_of
from training.networks.training_log import NoTrainingLog
from training.pipeline import checkpoints
from training.pipeline.progress import epoch_bars
from training.settings import GanSettings

PLAIN = GanSettings(width=16, discriminator_width=8, epochs=3, batch=8)
SMALL_DATA = replace(
    PLAIN,
    kind="conditional",
    upsampling="resize",
    noise=True,
    spectral=True,
    hinge=True,
    differentiable_augmentation=True,
    ema=0.9,
)


def train_generator(settings, data, **more):
    trained = kind_of(settings).train(data, settings, seed=1, **more)
    return trained.generator.state_dict()


@pytest.fixture(scope="module")
def data():
    images = torch.rand(20, 64, 64, generator=torch.Generator().manual_seed(0))
    return Labelled(images, torch.arange(20) % 3, 3)


@pytest.mark.parametrize("preset", [PLAIN, SMALL_DATA], ids=["plain", "small data"])
def test_interrupted_training_ends_with_the_same_weights(preset, data, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN_CHECKPOINTS", -1.0)
    pictured = []

    def train(name, picture):
        log = checkpoints.CheckpointedLog(tmp_path / name, epoch_bars(), preset.epochs)
        return train_generator(preset, data, log=log, picture=picture)

    def interrupt(_):
        pictured.append(True)
        if len(pictured) == 2:
            raise KeyboardInterrupt

    whole = train("whole", lambda generator: gan.sample(generator, 2, label=0, seed=0))
    with pytest.raises(KeyboardInterrupt):
        train("cut", interrupt)
    resumed = train("cut", lambda _: None)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("preset", [PLAIN, SMALL_DATA], ids=["plain", "small data"])
def test_as_many_updates_as_the_epochs_have_change_nothing(preset, data):
    def train(preset):
        return train_generator(preset, data, log=NoTrainingLog())

    epochs = train(preset)  # 3 of 2 batches
    updates = train(replace(preset, epochs=1, updates=6))
    assert all(torch.equal(epochs[name], updates[name]) for name in epochs)


@pytest.mark.parametrize(("updates", "epochs"), [(1, 1), (2, 1), (3, 2), (5, 3)])
def test_the_last_epoch_is_cut_short(updates, epochs, data, tmp_path, monkeypatch):
    taken = []
    descend = gan._descend
    monkeypatch.setattr(gan, "_descend", lambda *of: (taken.append(1), descend(*of)))
    preset = replace(PLAIN, updates=updates)
    log = checkpoints.CheckpointedLog(tmp_path / "gan", epoch_bars(), epochs)
    train_generator(preset, data, log=log)
    assert len(taken) == 2 * updates  # discriminator and generator
    assert len((tmp_path / "gan.jsonl").read_text().splitlines()) == epochs
    assert gan.epochs(preset, len(data.images)) == epochs


@pytest.mark.parametrize("preset", [PLAIN, SMALL_DATA], ids=["plain", "small data"])
def test_what_is_sampled_is_a_function_of_class_and_seed(preset):
    torch.manual_seed(0)
    generator = kind_of(preset).build(preset, classes=3).eval()
    one = gan.sample(generator, 3, label=1, seed=5)
    assert one.shape == (3, 64, 64)
    assert 0 <= one.min() < one.max() <= 1
    assert torch.equal(one, gan.sample(generator, 3, label=1, seed=5))
    assert not torch.equal(one, gan.sample(generator, 3, label=2, seed=5))
    assert not torch.equal(one, gan.sample(generator, 3, label=1, seed=6))


def test_settling_measures_the_statistics_of_the_weights_as_they_are():
    torch.manual_seed(0)
    generator = gan.build_generator(PLAIN, classes=3)
    with torch.no_grad():
        generator.project.weight *= 10  # running averages know nothing of it
    gan.recalibrate_batchnorm(generator, batch=64)
    assert not generator.training
    with torch.no_grad():
        normal = generator.start[0](
            generator.project(gan.latent(512, torch.device("cpu"))).view(-1, 16, 4, 4)
        )
    assert normal.std(dim=(0, 2, 3)) == pytest.approx(
        generator.start[0].weight.abs().detach(), rel=0.1
    )
