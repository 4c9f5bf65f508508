"""The networks as a server runs them: Hounsfield units in, answers out.

Everything that the paper does to an image before the network, and everything that calibration does
after it, is inside the graph, so that a server owns no copy of it.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from training.data.datasets import HU_WINDOW
from training.networks.classifier import TrainedClassifier
from training.networks.ood import OodScore


class ClassifierGraph(nn.Module):
    """`patch_hu` [n, 64, 64] -> probabilities, out-of-distribution score, features, saliency."""

    def __init__(
        self, trained: TrainedClassifier, ood_score: OodScore, *, temperature: float
    ) -> None:
        super().__init__()
        self.network = trained.network
        self.ood_score = ood_score
        self.mean = trained.mean
        self.temperature = temperature

    def forward(self, patch_hu: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the outputs in the manifest's order."""
        low, high = HU_WINDOW
        unit = ((patch_hu - low) / (high - low)).clamp(0.0, 1.0) - self.mean
        maps = self.network.maps(unit.unsqueeze(1))
        features = self.network.features(maps)
        logits = self.network.scores(features)
        probabilities = torch.softmax(logits / self.temperature, dim=1)
        return (
            probabilities,
            self.ood_score(features, patch_hu),
            features,
            self._saliency(maps, features),
        )

    def _saliency(self, maps: Tensor, features: Tensor) -> Tensor:
        """HiResCAM (Draelos and Carin 2020) of each class over the whole patch: [n, c, 8, 8].

        Behind the last feature maps the network is piecewise linear, so the gradient of a class's
        logit is the product of its dense weights, masked by which hidden units fire. Gradient
        times map sums over the square to the logit less the bias terms: the explanation is exact.
        """
        hidden, scores = self.network.hidden.weight, self.network.scores.weight
        firing = (features > 0).to(features.dtype)
        gradient = (firing[:, None, :] * scores) @ hidden
        contribution = gradient * maps.flatten(1)[:, None, :]
        n, (channels, height, width) = maps.shape[0], maps.shape[1:]
        inner = contribution.view(n, -1, channels, height, width).sum(dim=2)
        # Unpadded convolutions look at the patch's middle: its 6x6 cells, 8 pixels each, begin 7
        # pixels in. With a border of one cell they lie where they looked, to a pixel.
        return pad(inner, (1, 1, 1, 1))


class GeneratorGraph(nn.Module):
    """`z` [n, 100] in [-1, 1] -> `patch_hu` [n, 64, 64], whole Hounsfield units, of one class."""

    def __init__(self, of_class: nn.Module) -> None:
        super().__init__()
        self.of_class = of_class

    def forward(self, z: Tensor) -> Tensor:
        """Return the patches."""
        low, high = HU_WINDOW
        image = self.of_class(z)
        return (low + (image.squeeze(1) + 1) / 2 * (high - low)).round()
