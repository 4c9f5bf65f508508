import numpy as np
import torch

from training.networks import ood


def draw(n, *, seed, mean_hu=80.0, shift=0.0):
    rng = np.random.default_rng(seed)
    classes = np.arange(n) % 3
    features = np.maximum(
        rng.normal(0, 1, (n, 40)) + np.eye(3)[classes] @ rng.normal(0, 2, (3, 40)), 0
    )
    features[:, 7] = 0  # a unit that never fires
    patch_hu = rng.normal(mean_hu, 10, (n, 64, 64))
    return (features + shift).astype(np.float32), patch_hu.astype(np.float32), classes


def score(fitted, features, patch_hu):
    return fitted(torch.from_numpy(features), torch.from_numpy(patch_hu)).numpy()


def test_scores_what_it_was_fitted_on_low_and_strange_things_high():
    features, patch_hu, classes = draw(400, seed=0)
    fitted = ood.fit(features, patch_hu, classes)
    usual = score(fitted, features, patch_hu)
    assert np.isfinite(usual).all()
    strange = score(fitted, *draw(50, seed=0, shift=4.0)[:2])
    bone = score(fitted, features[:50], patch_hu[:50] + 700)
    assert strange.min() > np.quantile(usual, 0.95)
    assert bone.min() > usual.max()


def test_is_the_distance_to_the_nearest_class():
    features, patch_hu, classes = draw(400, seed=1)
    fitted = ood.fit(features, patch_hu, classes)
    within = score(fitted, features, patch_hu)
    # A whitened Gaussian of k dimensions has a mean squared distance of about k from its centre.
    assert 0.5 < (within**2).mean() / fitted.whiten.shape[1] < 1.5
