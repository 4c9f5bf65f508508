"""The paper's networks: the classifier (2.2, Fig.

2), the generator (3.2, Fig. 5) and the discriminator (3.2).

Where the paper is silent the widths are those of its preprint and of Radford et al. 2016, which it
follows. Each option that later work added for small data is off by default and documented where it
stands.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.nn.utils.parametrizations import spectral_norm

from lesion.bundle import LATENT_SIZE

Upsampling = Literal["transposed", "resize"]


class Classifier(nn.Module):
    """Three convolutions, each with max-pooling, and two dense layers.

    1,273,347 parameters (paper 2.2, "about 1.3 M").

    Convolutions are 3x3 without padding: with it the network would have 2.19 M. Pooling comes
    before the ReLU: both are monotone, so the result is the same and a quarter of the work remains.
    """

    def __init__(self, *, classes: int = 3, dropout: float = 0.5) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(32, 64, 3), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(64, 128, 3), nn.MaxPool2d(2), nn.ReLU(),
        )  # fmt: skip
        self.hidden = nn.Linear(128 * 6 * 6, 256)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(256, classes)
        for name, weight in self.named_parameters():  # Keras's defaults, which the authors used
            (nn.init.zeros_ if name.endswith("bias") else nn.init.xavier_uniform_)(weight)

    def maps(self, image: Tensor) -> Tensor:
        """[n, 1, 64, 64] -> the last feature maps [n, 128, 6, 6]."""
        return self.convolutions(image)

    def features(self, maps: Tensor) -> Tensor:
        """Feature maps -> the last hidden layer [n, 256], what the paper's Fig. 9 embeds."""
        return torch.relu(self.hidden(maps.flatten(1)))

    def forward(self, image: Tensor) -> Tensor:
        """[n, 1, 64, 64], rescaled to (0,1) less the training mean -> logits [n, 3]."""
        return self.scores(self.dropout(self.features(self.maps(image))))


class Generator(nn.Module):
    """z [n, 100] in [-1, 1] -> image [n, 1, 64, 64] in (-1, 1) (paper 3.2, Fig. 5).

    A dense layer to 4x4x`width`, then four steps that double the side and halve the channels: 5x5
    fractionally-strided convolutions (`transposed`, the paper's), or nearest-neighbour resizing
    before a 3x3 convolution (`resize`: Odena et al. 2016, "Deconvolution and checkerboard
    artifacts"). Batch normalization and ReLU everywhere but at the end. With `classes` > 0 the
    class joins z, one network for all (Mirza and Osindero 2014).
    """

    def __init__(
        self, *, width: int = 1024, upsampling: Upsampling = "transposed", classes: int = 0
    ) -> None:
        super().__init__()
        self.width = width
        self.classes = classes
        self.project = nn.Linear(LATENT_SIZE + classes, width * 4 * 4, bias=False)
        channels = [width, width // 2, width // 4, width // 8]
        steps: list[nn.Module] = [nn.BatchNorm2d(width), nn.ReLU()]
        for wide, narrow in pairwise(channels):
            steps += [_double(wide, narrow, upsampling), nn.BatchNorm2d(narrow), nn.ReLU()]
        self.upsample = nn.Sequential(*steps, *_paint(channels[-1], upsampling))
        self.apply(_dcgan_weights)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Make images.

        `label` [n] int64 names the class of each where the network is conditional.
        """
        if label is not None:
            z = torch.cat([z, one_hot(label, self.classes).to(z.dtype)], dim=1)
        return torch.tanh(self.upsample(self.project(z).view(-1, self.width, 4, 4)))


class Discriminator(nn.Module):
    """Image [n, 1, 64, 64] in (-1, 1) -> logit of being real [n] (paper 3.2).

    Four 5x5 convolutions of stride 2 from `width` channels, leaky ReLU of 0.2, batch normalization
    but on the first; or, with `spectral`, spectral normalization in its place (Miyato et al. 2018).
    With `classes` > 0 the class weighs in by projection (Miyato and Koyama 2018).
    """

    def __init__(self, *, width: int = 64, spectral: bool = False, classes: int = 0) -> None:
        super().__init__()
        channels = [1, width, width * 2, width * 4, width * 8]
        layers: list[nn.Module] = []
        for index, (narrow, wide) in enumerate(pairwise(channels)):
            layers.append(nn.Conv2d(narrow, wide, 5, stride=2, padding=2))
            if index > 0 and not spectral:
                layers.append(nn.BatchNorm2d(wide))
            layers.append(nn.LeakyReLU(0.2))
        self.convolutions = nn.Sequential(*layers)
        self.judge = nn.Linear(channels[-1] * 4 * 4, 1)
        self.embed = nn.Linear(classes, channels[-1], bias=False) if classes else None
        self.classes = classes
        self.apply(_dcgan_weights)
        if spectral:
            for layer in self.modules():
                if isinstance(layer, nn.Conv2d | nn.Linear):
                    spectral_norm(layer)

    def forward(self, image: Tensor, label: Tensor | None = None) -> Tensor:
        """Judge images.

        `label` [n] int64 names the class that each claims, where the network is conditional.
        """
        maps = self.convolutions(image)
        logit = self.judge(maps.flatten(1)).squeeze(1)
        if self.embed is not None and label is not None:
            claimed = self.embed(one_hot(label, self.classes).to(maps.dtype))
            logit = logit + (claimed * maps.mean(dim=(2, 3))).sum(dim=1)
        return logit


def parameters(network: nn.Module) -> int:
    """Count trained weights."""
    return sum(weight.numel() for weight in network.parameters())


def _paint(channels: int, upsampling: Upsampling) -> list[nn.Module]:
    """Double the side once more and make one channel of many.

    Resizing gives neighbouring pixels the same values: noise needs a convolution at full size.
    """
    if upsampling == "transposed":
        return [nn.ConvTranspose2d(channels, 1, 5, stride=2, padding=2, output_padding=1)]
    doubled = _double(channels, channels, upsampling)
    return [doubled, nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, 1, 3, padding=1)]


def _double(wide: int, narrow: int, upsampling: Upsampling) -> nn.Module:
    """Double the side of feature maps; batch normalization follows, so a bias would be undone."""
    if upsampling == "transposed":
        return nn.ConvTranspose2d(
            wide, narrow, 5, stride=2, padding=2, output_padding=1, bias=False
        )
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.Conv2d(wide, narrow, 3, padding=1, bias=False),
    )


def _dcgan_weights(layer: nn.Module) -> None:
    """Draw weights from N(0, 0.02), as the paper states (3.2)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)
