"""Fig. 9: how well the two networks' features keep the classes apart, seen and measured."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.html.blocks import Block, Content, Figure, Section, Table, percent, signed
from training.phantom.classes import CLASSES
from training.reproduction.report.figures import embedding

_NETWORKS = {"classic": "CNN-AUG", "gan": "CNN-AUG-GAN"}


def section(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section; the maps are in `arrays`."""
    words = (
        "The paper shows two t-SNE maps and says that the one with synthetic lesions has better "
        "separating power. Distances on such a map mean little, so the claim is measured in the "
        "features themselves, over lesions that the network never saw: by the silhouette "
        "(-1 to 1), and by how often a lesion's nearest neighbours are of its own class. No image "
        "of its own patient, augmentations among them, counts as a lesion's neighbour.",
    )
    shown = Figure(
        "fig-9",
        "Fig. 9: held-out lesions of the first fold (large) and augmentations of them (small), in "
        "the features of the last hidden layer, by t-SNE.",
        tuple(
            embedding.draw(
                arrays[f"tsne-{arm}"],
                arrays["tsne-classes"],
                arrays["tsne-original"],
                name=f"fig-9-{arm}",
                network=network,
            )
            for arm, network in _NETWORKS.items()
        ),
        across=2,
    )
    blocks: tuple[Block, ...] = (shown, _measures(results["separation"]))
    return Section("separation", "Separation in feature space", words, blocks)


def _measures(found: Mapping[str, Any]) -> Table:
    arms = [found[arm] for arm in _NETWORKS]
    rows: list[tuple[Content, ...]] = [
        ("silhouette, mean", *map(signed, (arm["silhouette"] for arm in arms)))
    ]
    for name in CLASSES:
        of_class = (arm["silhouette_by_class"][name] for arm in arms)
        rows.append((f"silhouette of {name}", *map(signed, of_class)))
    nearest = (arm["nearest"] for arm in arms)
    rows.append(("neighbours of the own class, %", *map(percent, nearest)))
    return Table(
        "separation-table",
        "Separation in the features, over all folds; the paper gives no figure.",
        ("", *_NETWORKS.values()),
        tuple(rows),
    )
