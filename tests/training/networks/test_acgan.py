import json
import math
from dataclasses import replace

import pytest
import torch

from training.data.datasets import Labelled
from training.networks import acgan, gan
from training.networks.architectures import Discriminator
from training.pipeline import checkpoints
from training.pipeline.progress import epoch_bars
from training.settings import GanSettings

TINY = GanSettings(
    width=8,
    discriminator_width=4,
    epochs=10,
    batch=8,
    learning_rate=0.01,
    discriminator_learning_rate=0.001,
    kind="acgan",
    bfloat16=False,
)


@pytest.fixture(scope="module")
def data():
    """Noisy images, each class of another brightness."""
    labels = torch.arange(48) % 3
    noise = torch.rand(48, 64, 64, generator=torch.Generator().manual_seed(0))
    return Labelled((0.2 * noise + 0.3 * labels[:, None, None]).clamp(0, 1), labels, 3)


@pytest.fixture(scope="module")
def pair(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("acgan") / "acgan"
    return acgan.train(data, TINY, seed=1, log=checkpoints.CheckpointedLog(path, epoch_bars(), 10))


def test_the_discriminator_learns_to_name_the_classes(data, pair):
    logits = acgan.classify(pair.discriminator, data.images)
    assert logits.shape == (48, 3)
    assert logits.dtype == torch.float32
    assert (logits.argmax(dim=1) == data.labels).float().mean() > 0.9


def test_what_it_says_of_an_image_depends_on_no_other(data, pair):
    whole = acgan.classify(pair.discriminator, data.images)
    alone = acgan.classify(pair.discriminator, data.images[5:6])
    torch.testing.assert_close(alone[0], whole[5], rtol=1e-4, atol=1e-4)


def test_the_generator_paints_the_class_that_it_is_told(pair):
    brightness = [gan.sample(pair.generator, 16, label=k, seed=0).mean() for k in range(3)]
    assert brightness[0] < brightness[1] < brightness[2]


def test_batch_norm_is_measured_on_real_images(data, pair):
    discriminator = pair.discriminator
    assert not discriminator.training
    convolution, norm = discriminator.convolutions[:2], discriminator.convolutions[3]
    with torch.no_grad():
        maps = discriminator.convolutions[2](convolution((data.images * 2 - 1).unsqueeze(1)))
    torch.testing.assert_close(norm.running_mean, maps.mean(dim=(0, 2, 3)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("labels", ["told", "named"])
def test_the_losses_start_where_ignorance_does(labels, data, tmp_path):
    """At first every logit is near 0: ln 2 for each guess at real or not, ln 3 for each class."""
    untaught = replace(TINY, epochs=1, learning_rate=1e-9, discriminator_learning_rate=1e-9)
    log = checkpoints.CheckpointedLog(tmp_path / "gan", epoch_bars(), 1)
    gan.train_adversarial(data, untaught, labels=labels, seed=1, log=log)
    told = json.loads((tmp_path / "gan.jsonl").read_text())
    each = math.log(2) + (labels == "named") * math.log(3)
    assert told["discriminator"] == pytest.approx(2 * each, rel=0.1)
    assert told["generator"] == pytest.approx(each, rel=0.1)


def test_it_is_a_dcgans_discriminator_with_a_head_of_three():
    plain, auxiliary = Discriminator(width=8), Discriminator(width=8, auxiliary=3)
    added = auxiliary.state_dict().keys() - plain.state_dict().keys()
    assert added == {"scores.weight", "scores.bias"}
    assert auxiliary.classify(auxiliary.maps(torch.rand(2, 1, 64, 64))).shape == (2, 3)


def test_refuses_a_discriminator_without_head(data):
    with pytest.raises(TypeError, match="ACGAN"):
        acgan.classify(Discriminator(width=8), data.images)
