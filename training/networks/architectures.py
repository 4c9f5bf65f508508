"""The paper's networks: classifier (2.2, Fig. 2), generator (3.2, Fig. 5), discriminator (3.2).

Where the paper is silent the widths are those of its preprint and of Radford et al. 2016, which it
follows. Each option that later work added for small data is off by default and documented where it
stands.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot
from torch.nn.utils.parametrizations import spectral_norm

from lesion.bundle import LATENT_SIZE
from training.settings import Kernel, Upsampling


class Classifier(nn.Module):
    """Three convolutions, each with max-pooling, and two dense layers (paper 2.2, Fig. 2).

    For three classes it has 1,273,347 parameters, "approximately 1.3 M". Convolutions are 3x3
    without padding: with it the network would have 2.19 M. Pooling comes before the ReLU: both are
    monotone, so the result is the same and a quarter of the work remains.
    """

    def __init__(self, classes: int, *, dropout: float = 0.5) -> None:
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
        """[n, 1, 64, 64], rescaled to (0,1) less the training mean -> logits [n, c]."""
        return self.scores(self.dropout(self.features(self.maps(image))))


class Generator(nn.Module):
    """z [n, 100] in [-1, 1] -> image [n, 1, 64, 64] in (-1, 1) (paper 3.2, Fig. 5).

    A dense layer to 4x4x`width`, then four steps that double the side and halve the channels: 5x5
    fractionally-strided convolutions (`transposed`, the paper's), or nearest-neighbour resizing
    before a 3x3 convolution (`resize`: Odena et al. 2016, "Deconvolution and checkerboard
    artifacts"). Batch normalization and ReLU everywhere but at the end.

    With `classes` > 0 the class joins z: one network for all (Mirza and Osindero 2014). With
    `noise` each step is offered white noise (Karras et al. 2019): quantum noise is most of what a
    CT patch shows, and a network of a hundred numbers spends its weights on it. The noise is a
    fixed random projection of z, so an image is still a function of z alone.
    """

    def __init__(
        self,
        *,
        width: int = 1024,
        upsampling: Upsampling = "transposed",
        classes: int = 0,
        noise: bool = False,
    ) -> None:
        super().__init__()
        self.width = width
        self.classes = classes
        self.project = nn.Linear(LATENT_SIZE + classes, width * 4 * 4, bias=False)
        self.start = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU())
        channels = [width, width // 2, width // 4, width // 8]
        self.steps = nn.ModuleList(
            _Step(wide, narrow, upsampling, side=8 * 2**index, noise=noise)
            for index, (wide, narrow) in enumerate(pairwise(channels))
        )
        self.last = _last(channels[-1], upsampling, noise=noise)
        self.apply(_dcgan_weights)

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        """Make images; `label` int64 [n] names each one's class for a conditional network."""
        joined = z
        if label is not None:
            joined = torch.cat([z, one_hot(label, self.classes).to(z.dtype)], dim=1)
        return self.paint(self.project(joined), z)

    def paint(self, projected: Tensor, z: Tensor) -> Tensor:
        """Make images of what the dense layer gave, [n, 16 width]."""
        maps = self.start(projected.view(-1, self.width, 4, 4))
        for step in self.steps:
            maps = step(maps, z)
        for layer in self.last:
            maps = layer(maps, z) if isinstance(layer, _Step) else layer(maps)
        return torch.tanh(maps)


class OneClassGenerator(nn.Module):
    """A generator of one class alone: z [n, 100] -> image [n, 1, 64, 64] in (-1, 1).

    A conditional generator's class is a constant here: its column of weights is a bias.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, generator: Generator, label: int) -> None:
        super().__init__()
        self.generator = generator
        weight = generator.project.weight.detach()
        self.register_buffer("weight", weight[:, :LATENT_SIZE].T.contiguous())
        bias = weight[:, LATENT_SIZE + label] if generator.classes else torch.zeros(len(weight))
        self.register_buffer("bias", bias.clone())

    def forward(self, z: Tensor) -> Tensor:
        """Return the images."""
        return self.generator.paint(z @ self.weight + self.bias, z)


class _Step(nn.Module):
    """Double the side of feature maps to `side`, add noise if asked to, normalize, rectify."""

    def __init__(
        self, wide: int, narrow: int, upsampling: Upsampling, *, side: int, noise: bool
    ) -> None:
        super().__init__()
        # Batch normalization follows, so a bias would be undone.
        self.grow = (
            nn.ConvTranspose2d(wide, narrow, 5, 2, 2, output_padding=1, bias=False)
            if upsampling == "transposed"
            else nn.Sequential(
                nn.Upsample(scale_factor=2, mode="nearest"),
                nn.Conv2d(wide, narrow, 3, padding=1, bias=False),
            )
        )
        self.noise = _Noise(narrow, side) if noise else None
        self.rectify = nn.Sequential(nn.BatchNorm2d(narrow), nn.ReLU())

    def forward(self, maps: Tensor, z: Tensor) -> Tensor:
        grown = self.grow(maps)
        return self.rectify(grown if self.noise is None else grown + self.noise(z))


class _Noise(nn.Module):
    """White noise for each channel, in learned strength, from z by a fixed projection."""

    projection: Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.side = side
        fixed = torch.Generator().manual_seed(side)
        projection = torch.randn(LATENT_SIZE, side * side, generator=fixed)
        # Uniform numbers in [-1, 1] have a variance of 1/3: the noise has one of 1.
        self.register_buffer("projection", projection * (3 / LATENT_SIZE) ** 0.5)
        self.strength = nn.Parameter(torch.full((channels, 1, 1), 0.1))

    def forward(self, z: Tensor) -> Tensor:
        return self.strength * (z @ self.projection).view(-1, 1, self.side, self.side)


def _last(channels: int, upsampling: Upsampling, *, noise: bool) -> nn.ModuleList:
    """Double the side once more, to one channel.

    Resizing gives neighbouring pixels the same values: a convolution at full size tells them apart.
    """
    if upsampling == "transposed":
        return nn.ModuleList([nn.ConvTranspose2d(channels, 1, 5, 2, 2, output_padding=1)])
    step = _Step(channels, channels, upsampling, side=64, noise=noise)
    return nn.ModuleList([step, nn.Conv2d(channels, 1, 3, padding=1)])


class Discriminator(nn.Module):
    """Image [n, 1, 64, 64] in (-1, 1) -> logit of being real [n] (paper 3.2).

    Four 5x5 convolutions of stride 2 from `width` channels, leaky ReLU of 0.2, batch normalization
    but on the first; or, with `spectral`, spectral normalization in its place (Miyato et al. 2018).
    With `kernel` 4 every pixel lies under equally many windows; with 5 their number changes from
    pixel to pixel, and with it the gradient, which a generator learns to draw as a fine mesh.
    With `classes` > 0 the class weighs in by projection (Miyato and Koyama 2018). With `auxiliary`
    > 0 a head besides names one of so many: an ACGAN's (paper 3.3, Odena et al. 2017).
    """

    def __init__(
        self,
        *,
        width: int = 64,
        kernel: Kernel = 5,
        spectral: bool = False,
        classes: int = 0,
        auxiliary: int = 0,
    ) -> None:
        super().__init__()
        channels = [1, width, width * 2, width * 4, width * 8]
        layers: list[nn.Module] = []
        for index, (narrow, wide) in enumerate(pairwise(channels)):
            layers.append(nn.Conv2d(narrow, wide, kernel, stride=2, padding=(kernel - 1) // 2))
            if index > 0 and not spectral:
                layers.append(nn.BatchNorm2d(wide))
            layers.append(nn.LeakyReLU(0.2))
        self.convolutions = nn.Sequential(*layers)
        self.judge = nn.Linear(channels[-1] * 4 * 4, 1)
        self.embed = nn.Linear(classes, channels[-1], bias=False) if classes else None
        self.scores = nn.Linear(channels[-1] * 4 * 4, auxiliary) if auxiliary else None
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
        return self.realness(self.maps(image), label)

    def maps(self, image: Tensor) -> Tensor:
        """Images -> the last feature maps [n, 8 width, 4, 4]."""
        return self.convolutions(image)

    def realness(self, maps: Tensor, label: Tensor | None = None) -> Tensor:
        """Feature maps -> logit of being real [n]."""
        logit = self.judge(maps.flatten(1)).squeeze(1)
        if self.embed is not None and label is not None:
            claimed = self.embed(one_hot(label, self.classes).to(maps.dtype))
            logit = logit + (claimed * maps.mean(dim=(2, 3))).sum(dim=1)
        return logit

    def classify(self, maps: Tensor) -> Tensor:
        """Feature maps -> an ACGAN's logits of the classes [n, c]."""
        if self.scores is None:
            raise TypeError("found a DCGAN's discriminator, expected an ACGAN's (auxiliary > 0)")
        return self.scores(maps.flatten(1))


def parameters(network: nn.Module) -> int:
    """Count trained weights."""
    return sum(weight.numel() for weight in network.parameters())


def _dcgan_weights(layer: nn.Module) -> None:
    """Draw weights from N(0, 0.02), as the paper states (3.2)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
        nn.init.zeros_(layer.bias)
