"""A bag of visual words whose words are chosen by mutual information (paper 4.5, "BoVW-MI").

Diamant et al. 2017 (the paper's [30]): small patches of the lesion's ROI become a few principal
components; k-means of the training lesions' patches gives a dictionary of visual words; a lesion is
the histogram of its patches' words; of those only the words are kept that tell most about the
class. `single` keeps one set of words for the three classes, `multi` a smaller set for each class
against the rest, with a classifier of its own.

What the paper leaves open. It names [29] for the method, but the parameters that it gives are
[30]'s. [29] has one dictionary for a lesion's interior and one for its boundary; [30] has one, and
the paper speaks of one, so here one dictionary covers the whole ROI. We know [30] by its abstract
and by what the paper says of it. So these are our own choices: patches in the fixed HU window
without a normalisation of each, since attenuation tells a cyst; their stride; and a word's mutual
information being that of "more often than in the median lesion" with the class.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float32, Float64, Int
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import entr
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from training.data.datasets import to_unit
from training.reproduction.baselines import svm
from training.seeds import derive, generator
from training.settings import BaselineSettings, BovwSettings

_BATCH = 64  # lesions whose patches are held together: bounds the memory


def single(
    train_hu: Float32[np.ndarray, "n 64 64"],
    train_classes: Int[np.ndarray, " n"],
    train_patients: Sequence[str],
    test_hu: Float32[np.ndarray, "m 64 64"],
    *,
    preset: BaselineSettings,
    seed: int,
) -> Float[np.ndarray, "m 3"]:
    """Train on some lesions and score others by the words that tell most about the class.

    The largest score names the class. Raise `CohortError` as `svm.tuned` does.
    """
    model = svm.machine(SelectKBest(mutual_information, k=preset.bovw.single_words))
    train = train_hu, train_classes, train_patients
    return _fit_predict(model, train, test_hu, preset=preset, seed=seed)


def multi(
    train_hu: Float32[np.ndarray, "n 64 64"],
    train_classes: Int[np.ndarray, " n"],
    train_patients: Sequence[str],
    test_hu: Float32[np.ndarray, "m 64 64"],
    *,
    preset: BaselineSettings,
    seed: int,
) -> Float[np.ndarray, "m 3"]:
    """Train on some lesions and score others: each class against the rest, by words of its own.

    The three classifiers share their parameters, so that their decision values compare. The largest
    names the class. Raise `CohortError` as `svm.tuned` does.
    """
    task = svm.machine(SelectKBest(mutual_information, k=preset.bovw.multi_words))
    train = train_hu, train_classes, train_patients
    return _fit_predict(OneVsRestClassifier(task), train, test_hu, preset=preset, seed=seed)


def learn(train_hu: Float32[np.ndarray, "n 64 64"], preset: BovwSettings, *, seed: int) -> Pipeline:
    """Learn the principal components and the dictionary from a sample of the lesions' patches."""
    windows = _windows(train_hu, preset)
    places = windows.shape[:3]
    chosen = generator(seed, "patches").permutation(int(np.prod(places)))[: preset.sampled]
    sample = windows[np.unravel_index(chosen, places)].reshape(len(chosen), -1)
    random_state = derive(seed, "visual words") % 2**32
    words = KMeans(preset.words, n_init=1, max_iter=100, random_state=random_state)
    return make_pipeline(PCA(preset.components, random_state=random_state), words).fit(sample)


def histograms(
    patches_hu: Float32[np.ndarray, "n 64 64"], words: Pipeline, preset: BovwSettings
) -> Float64[np.ndarray, "n words"]:
    """Return the square root of each word's share of a lesion's patches (Hellinger's distance)."""
    counts = np.zeros((len(patches_hu), preset.words))
    for start in range(0, len(patches_hu), _BATCH):
        windows = _windows(patches_hu[start : start + _BATCH], preset)
        lesions = len(windows)
        found = words.predict(windows.reshape(-1, preset.patch**2)).reshape(lesions, -1)
        np.add.at(counts, (start + np.arange(lesions)[:, None], found), 1)
    return np.sqrt(counts / counts.sum(axis=1, keepdims=True))


def mutual_information(
    histograms: Float[np.ndarray, "n words"], classes: Int[np.ndarray, " n"]
) -> Float64[np.ndarray, " words"]:
    """Return, in nats, what each word tells of the class: I(more than the median lesion; class)."""
    often = histograms > np.median(histograms, axis=0)
    which = classes == np.unique(classes)[:, None]
    often_and_class = which.astype(np.float64) @ often / len(classes)
    joint = np.stack([often_and_class, which.mean(axis=1)[:, None] - often_and_class])
    # I(X; Y) = H(X) + H(Y) - H(X, Y)
    entropies = entr(joint.sum(axis=1)).sum(axis=0) + entr(joint.sum(axis=0)).sum(axis=0)
    return entropies - entr(joint).sum(axis=(0, 1))


def _fit_predict(
    model: Pipeline | OneVsRestClassifier,
    train: tuple[Float32[np.ndarray, "n 64 64"], Int[np.ndarray, " n"], Sequence[str]],
    test_hu: Float32[np.ndarray, "m 64 64"],
    *,
    preset: BaselineSettings,
    seed: int,
) -> Float[np.ndarray, "m 3"]:
    train_hu, classes, patients = train
    words = learn(train_hu, preset.bovw, seed=seed)
    features = histograms(train_hu, words, preset.bovw)
    fitted = svm.tuned(model, features, classes, patients, preset=preset.svm, seed=seed)
    return fitted.decision_function(histograms(test_hu, words, preset.bovw))


def _windows(
    patches_hu: Float32[np.ndarray, "n 64 64"], preset: BovwSettings
) -> Float32[np.ndarray, "n rows cols side side"]:
    """Return a view of all small patches, in (0, 1)."""
    side, stride = preset.patch, preset.stride
    windows = sliding_window_view(to_unit(patches_hu), (side, side), axis=(1, 2))
    return windows[:, ::stride, ::stride]
