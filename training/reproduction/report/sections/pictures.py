"""Fig. 3, one lesion's augmentations, and Fig. 6, synthetic lesions beside real ones."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from training.html.blocks import Figure, Picture, Section
from training.phantom.classes import CLASSES
from training.reproduction.report.figures import gallery

_COLUMNS = 4


def section(results: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section, from `arrays` as `reproduction.analyses.gallery` gathers them."""
    simulated = results["run"]["cohort"]["simulated"]
    stamp = "SIMULATED" if simulated else "COHORT"
    augmented = Picture(
        "fig-3-augmentations.png",
        gallery.draw(arrays["augmented"], columns=8, stamp=f"{stamp}, research only"),
        f"Grid of {len(arrays['augmented'])} grey patches: a lesion, and the same lesion rotated, "
        "flipped, translated and scaled.",
    )
    titles = results["run"]["generators"]
    kinds = {"real": "lesions of the cohort"}
    kinds |= {kind: f"synthetic, {title}" for kind, title in titles.items()}
    words = (
        "All lesions here were drawn at random, none was picked. Grey runs from -150 to 250 HU. "
        "Of synthetic lesions each row is one fold's generator; no network was trained on these.",
    )
    blocks = (
        Figure(
            "fig-3",
            "Fig. 3: a lesion (first) and a random sample of its classic augmentations.",
            (augmented,),
        ),
        Figure(
            "fig-6",
            "Fig. 6: lesions and synthetic lesions of each class.",
            tuple(_galleries(arrays, kinds, stamp)),
            across=len(kinds),
        ),
    )
    return Section("pictures", "Lesions, augmented and synthetic", words, blocks)


def _galleries(
    arrays: Mapping[str, np.ndarray], kinds: Mapping[str, str], stamp: str
) -> Iterator[Picture]:
    for name in CLASSES:
        for kind, words in kinds.items():
            what = f"{name}: {words}"
            told = stamp if kind == "real" else "SYNTHETIC"
            yield Picture(
                f"fig-6-{name}-{kind}.png",
                gallery.draw(
                    arrays[f"{kind}-{name}"], columns=_COLUMNS, stamp=f"{told}, research only"
                ),
                f"Grid of {len(arrays[f'{kind}-{name}'])} grey patches. {what}.",
                what,
            )
