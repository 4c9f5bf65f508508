"""The table of generators' kinds: each row does all that is asked of a kind."""

import pytest
import torch

from lesion.errors import RunError
from training.data.datasets import Labelled
from training.networks.generators import KINDS, kind_of
from training.networks.training_log import NoTrainingLog
from training.settings import GanSettings


@pytest.fixture(scope="module", params=KINDS)
def trained(request):
    kind = KINDS[request.param]
    settings = GanSettings(kind=request.param, width=8, discriminator_width=4, epochs=1, batch=8)
    images = torch.rand(12, 64, 64, generator=torch.Generator().manual_seed(0))
    data = Labelled(images, torch.arange(12) % 3, 3)
    network = kind.train(data, settings, seed=1, log=NoTrainingLog())
    return kind, settings, data, network


def test_what_is_trained_is_what_is_built(trained):
    kind, settings, _, network = trained
    again = kind.build(settings, classes=3).eval()
    again.load_state_dict(network.generator.state_dict())
    one, other = (kind.sample(g, 2, label=1, seed=3) for g in (network.generator, again))
    assert one.shape == (2, 64, 64)
    assert torch.equal(one, other)


def test_a_network_for_all_classes_is_told_them(trained):
    kind, _, _, network = trained
    assert (network.generator.classes == 0) == kind.per_class


@torch.no_grad()
def test_the_exported_network_is_the_trained_one_of_one_class(trained):
    kind, _, _, network = trained
    z = torch.rand(3, 100, generator=torch.Generator().manual_seed(0)) * 2 - 1
    label = None if kind.per_class else torch.full((3,), 2)
    found = kind.of_class(network.generator, 2)(z)
    torch.testing.assert_close(found, network.generator(z, label), rtol=1e-4, atol=1e-5)


def test_a_discriminator_that_names_classes_has_logits_of_them(trained):
    kind, _, data, network = trained
    if kind.classify is not None:
        assert kind.classify(network.discriminator, data.images).shape == (12, 3)


def test_a_kind_that_is_not_in_the_table_is_refused():
    with pytest.raises(RunError, match="found the generator 'biggan', expected one of dcgan"):
        kind_of(GanSettings(kind="biggan"))
