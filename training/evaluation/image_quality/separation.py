"""How well features keep the classes apart: what Fig. 9 shows by eye, and numbers for it.

t-SNE's distances mean nothing across its picture, so the numbers are taken in the feature space
that it was made from. They are per image, so that two networks can be compared lesion by lesion. An
image's augmentations lie beside it whatever the network learned, and a patient's other lesions
share its scan: no image of its own patient counts as its neighbour.
"""

import numpy as np
from jaxtyping import Float, Float32, Int, Shaped
from scipy.spatial.distance import cdist
from sklearn.manifold import TSNE

PERPLEXITY = 30.0


def silhouettes(
    features: Float[np.ndarray, "n d"],
    classes: Int[np.ndarray, " n"],
    patients: Shaped[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    """Return (b - a) / max(a, b) of each image, in -1 to 1 (Rousseeuw 1987).

    a is the mean distance to images of its class of other patients, b that to the nearest other
    class. Raise `ValueError` for a single class, or a class of a single patient.
    """
    _check(classes, patients)
    apart, other = cdist(features, features), patients[:, None] != patients
    of_class = np.eye(classes.max() + 1)[classes][:, np.unique(classes)]
    mean = (apart * other) @ of_class / (other @ of_class)
    own = of_class.astype(bool)
    a, b = mean[own], np.where(own, np.inf, mean).min(axis=1)
    return (b - a) / np.maximum(np.maximum(a, b), np.finfo(float).tiny)


def nearest_classes(
    features: Float[np.ndarray, "n d"],
    classes: Int[np.ndarray, " n"],
    patients: Shaped[np.ndarray, " n"],
    *,
    nearest: int = 5,
) -> Int[np.ndarray, " n"]:
    """Return the class that most of an image's nearest neighbours in other patients have.

    Of classes with equal votes, the one of the nearest neighbour. The share that is right is the
    leave-one-patient-out k-NN accuracy (Cover and Hart 1967). Raise `ValueError` where an image has
    fewer than `nearest` images of other patients.
    """
    apart = cdist(features, features)
    apart[patients[:, None] == patients] = np.inf
    order = np.argsort(apart, axis=1, kind="stable")[:, :nearest]
    if np.isinf(np.take_along_axis(apart, order, axis=1)).any():
        raise ValueError(f"found fewer than {nearest} images of other patients")
    voted = np.eye(classes.max() + 1)[classes[order]]
    # What a nearer vote is worth more outweighs all further ones, but never a whole vote.
    worth = 1 + 0.5 ** (np.arange(nearest) + 2)
    return np.argmax((voted * worth[:, None]).sum(axis=1), axis=1)


def embed(features: Float[np.ndarray, "n d"], *, seed: int) -> Float32[np.ndarray, "n 2"]:
    """Return the t-SNE embedding of Fig. 9 (van der Maaten and Hinton 2008), without unit.

    It starts from the principal components, as Kobak and Berens (2019) advise; the paper states no
    perplexity, so it is the usual 30, or a third of a smaller set. Raise `ValueError` for fewer
    than 4 images.
    """
    if len(features) < 4:
        raise ValueError(f"found {len(features)} images, expected at least 4")
    perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
    tsne = TSNE(init="pca", perplexity=perplexity, random_state=seed % 2**32)
    place: np.ndarray = tsne.fit_transform(features.astype(np.float32))
    return place


def _check(classes: Int[np.ndarray, " n"], patients: Shaped[np.ndarray, " n"]) -> None:
    each = [len(np.unique(patients[classes == k])) for k in np.unique(classes)]
    if len(each) < 2 or min(each) < 2:
        raise ValueError(f"found classes of {each} patients, expected two classes or more, of two")
