import torch

from training.networks.diffaugment import differentiable_augmentation


def test_changes_every_image_and_lets_gradients_through():
    torch.manual_seed(0)
    image = torch.randn(8, 1, 64, 64, requires_grad=True)
    seen = differentiable_augmentation(image)
    assert seen.shape == image.shape
    assert not (seen == image).flatten(1).all(dim=1).any()
    seen.sum().backward()
    assert (image.grad.flatten(1).abs().sum(dim=1) > 0).all()


def test_repeats_the_edge_and_adds_no_border():
    torch.manual_seed(0)
    image = torch.full((16, 1, 64, 64), 0.25)
    seen = differentiable_augmentation(image)
    blanked = seen == 0
    assert all(len(one[~hole].unique()) == 1 for one, hole in zip(seen, blanked, strict=True))
    assert blanked.float().mean() < 0.25
