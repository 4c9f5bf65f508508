"""Texture features of the whole patch and a support vector machine (paper 4.5)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Int

from training.reproduction.baselines import svm
from training.reproduction.features import gabor, haralick
from training.settings import BaselineSettings


def gabor_svm(
    train_hu: Float32[np.ndarray, "n 64 64"],
    train_classes: Int[np.ndarray, " n"],
    train_patients: Sequence[str],
    test_hu: Float32[np.ndarray, "m 64 64"],
    *,
    preset: BaselineSettings,
    seed: int,
) -> Float[np.ndarray, "m 3"]:
    """Train on some lesions and score others by their Gabor features. See `svm.fit_predict`."""
    return svm.fit_predict(
        gabor.describe(train_hu),
        train_classes,
        train_patients,
        gabor.describe(test_hu),
        preset=preset.svm,
        seed=seed,
    )


def glcm_svm(
    train_hu: Float32[np.ndarray, "n 64 64"],
    train_classes: Int[np.ndarray, " n"],
    train_patients: Sequence[str],
    test_hu: Float32[np.ndarray, "m 64 64"],
    *,
    preset: BaselineSettings,
    seed: int,
) -> Float[np.ndarray, "m 3"]:
    """Train on some lesions and score others by Haralick's features. See `svm.fit_predict`."""
    return svm.fit_predict(
        haralick.describe(train_hu),
        train_classes,
        train_patients,
        haralick.describe(test_hu),
        preset=preset.svm,
        seed=seed,
    )
