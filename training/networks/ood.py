"""How unlike the training lesions a patch is: one number, computed inside the exported graph.

The distance (Mahalanobis) to the nearest class in a space of the classifier's features and of what
the HU window hides from it: the patch's mean HU inside and outside the lesion, and its spread (Lee
et al. 2018, with a shrunk covariance for small cohorts).
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from torch import Tensor, nn

_COMPONENTS = 24
_DEAD = 1e-6  # variance of a feature that never fires
_HU_SCALE = 100.0


class OodScore(nn.Module):
    """Score of features [n, k] and patches [n, 64, 64] in HU: 0 at a class's centre, no limit."""

    whiten: Tensor
    shift: Tensor
    centres: Tensor

    def __init__(self, whiten: Tensor, shift: Tensor, centres: Tensor) -> None:
        super().__init__()
        self.register_buffer("whiten", whiten)
        self.register_buffer("shift", shift)
        self.register_buffer("centres", centres)

    def forward(self, features: Tensor, patch_hu: Tensor) -> Tensor:
        """Return the distance [n] to the nearest class centre, in standard deviations."""
        described = torch.cat([features, statistics(patch_hu)], dim=1)
        to_device = (described - self.shift) @ self.whiten
        return ((to_device[:, None] - self.centres) ** 2).sum(dim=2).min(dim=1).values.sqrt()


def fit(
    features: Float[np.ndarray, "n k"],
    patch_hu: Float[np.ndarray, "n 64 64"],
    classes: Int[np.ndarray, " n"],
) -> OodScore:
    """Fit on a classifier's own training lesions."""
    told = statistics(torch.from_numpy(patch_hu)).numpy()
    described = np.concatenate([features, told], axis=1).astype(np.float64)
    shift, spread = described.mean(axis=0), described.std(axis=0)
    alive = spread**2 > _DEAD
    scale = np.where(alive, 1 / np.where(alive, spread, 1.0), 0.0)
    k = features.shape[1]
    standard = (described - shift) * scale
    pca = PCA(n_components=min(_COMPONENTS, len(features) // 4), random_state=0)
    pca.fit(standard[:, :k])
    # Principal components of the features beside the statistics, which PCA would drown.
    axes = np.zeros((k + told.shape[1], len(pca.components_) + told.shape[1]))
    axes[:k, : len(pca.components_)] = pca.components_.T
    axes[k:, len(pca.components_) :] = np.eye(told.shape[1])
    reduced = standard @ axes
    centres = np.stack([reduced[classes == c].mean(axis=0) for c in np.unique(classes)])
    within = reduced - centres[classes]
    root = np.linalg.cholesky(LedoitWolf(assume_centered=True).fit(within).get_precision())
    whiten = (scale[:, None] * axes) @ root
    return OodScore(*(_float32(a) for a in (whiten, shift, centres @ root)))


def statistics(patch_hu: Tensor) -> Tensor:
    """Describe patches [n, 64, 64]: mean of the middle, mean around it, standard deviation.

    The result [n, 3] is in hundreds of HU.
    """
    middle = patch_hu[:, 16:48, 16:48].mean(dim=(1, 2))
    whole = patch_hu.mean(dim=(1, 2))
    around = (whole * 4 - middle) / 3  # the middle is a quarter of the patch
    spread = (patch_hu - whole[:, None, None]).square().mean(dim=(1, 2)).sqrt()
    return torch.stack([middle, around, spread], dim=1) / _HU_SCALE


def _float32(array: Float[np.ndarray, "..."]) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))
