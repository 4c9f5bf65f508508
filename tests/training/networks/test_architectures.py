import pytest
import torch

from training.networks.architectures import Classifier, Discriminator, Generator, parameters


def test_the_classifier_has_the_papers_1_3_million_parameters():
    assert parameters(Classifier(3)) == 1_273_347


def test_the_generator_and_discriminator_have_the_papers_widths():
    assert parameters(Generator()) == pytest.approx(18.87e6, rel=2e-3)
    assert parameters(Discriminator()) == pytest.approx(4.31e6, rel=1e-2)


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("classes", [0, 3])
def test_a_generator_makes_images_within_the_range_of_tanh(upsampling, classes):
    network = Generator(width=16, upsampling=upsampling, classes=classes)
    label = torch.tensor([0, 1]) if classes else None
    images = network(torch.rand(2, 100) * 2 - 1, label)
    assert images.shape == (2, 1, 64, 64)
    assert images.abs().max() < 1


def test_a_conditional_generator_heeds_its_class():
    network = Generator(width=16, classes=3).eval()
    z = torch.zeros(1, 100)
    one, other = (network(z, torch.tensor([k])) for k in (0, 1))
    assert not torch.equal(one, other)


@pytest.mark.parametrize(("kernel", "even"), [(4, True), (5, False)])
def test_a_kernel_of_4_sees_every_pixel_equally_often(kernel, even):
    first = Discriminator(width=1, kernel=kernel).convolutions[0]
    torch.nn.init.ones_(first.weight)
    image = torch.zeros(1, 1, 64, 64, requires_grad=True)
    first(image).sum().backward()
    inner = image.grad[0, 0, 4:-4, 4:-4]
    assert (inner.min() == inner.max()) == even


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("classes", [0, 3])
def test_a_discriminator_gives_one_logit_an_image(spectral, classes):
    network = Discriminator(width=8, spectral=spectral, classes=classes)
    label = torch.tensor([0, 1]) if classes else None
    assert network(torch.randn(2, 1, 64, 64), label).shape == (2,)


def test_pooling_before_the_relu_changes_nothing():
    network = Classifier(3).eval()
    image = torch.randn(2, 1, 64, 64)
    maps = image
    for index in (0, 3, 6):  # convolution, then ReLU, then pooling, as in the paper's Fig. 2
        maps = torch.nn.functional.max_pool2d(network.convolutions[index](maps).relu(), 2)
    assert torch.equal(maps, network.maps(image))
