"""How good the synthetic images are, per class and kind, and whether they copy or tell."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.html.blocks import Number, Section, Table, measured, percent, plain
from training.networks.generators import KINDS
from training.phantom.classes import CLASSES

_KINDS = {
    **{name: kind.title for name, kind in KINDS.items()},
    "fresh": "fresh lesions in their place",
}
_SPACES = {
    "network": "in the features of a further cohort's classifier, which saw none of the patients",
    "texture": "in texture features, which no network learned",
}
_EXPECTED = {"copies": "1", "ratio": "1", "nearer": "50"}


def section(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section."""
    found = results["quality"]
    words = (
        "Synthetic lesions beside fresh lesions that no generator saw. As many fresh lesions are "
        "measured in their place: that is what a perfect generator would get, so compare with it "
        "and not with 0 or 100.",
        "KID: a distance of the two distributions, 0 where they agree. Precision and density: do "
        "synthetic lesions look like real ones. Recall and coverage: are all kinds of real lesions "
        "among them. Whether they teach a classifier is measured by “synthetic alone” among "
        "the controls.",
    )
    blocks = (
        *(_space(name, found[name]) for name in _SPACES),
        _copies(found["memorisation"]),
        _privacy(found["membership"]),
        _diversity(results["diversity"]),
    )
    return Section("quality", "Quality of the synthetic lesions", words, blocks)


def _space(name: str, found: Mapping[str, Any]) -> Table:
    rows = []
    for label in map(str, CLASSES):
        for kind in found:
            words, of = _KINDS[kind], found[kind][label]
            rows.append(
                (
                    f"{label}: {words}",
                    measured(of["kid"], of["kid_error"]),
                    percent(of["precision"], decimals=0),
                    percent(of["recall"], decimals=0),
                    plain(of["density"]),
                    percent(of["coverage"], decimals=0),
                )
            )
    return Table(
        f"quality-{name}",
        f"Against fresh lesions, {_SPACES[name]}. Means over the folds.",
        ("", "KID (± standard error)", "precision, %", "recall, %", "density", "coverage, %"),
        tuple(rows),
    )


def _copies(measured: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            _KINDS[kind],
            percent(of["copies"]),
            plain(of["ratio"]),
            percent(of["nearer"]),
        )
        for kind, of in measured.items()
    )
    return Table(
        "memorisation",
        "Do they copy? Distance to the nearest training lesion, beside that of fresh lesions.",
        ("", "suspiciously near, %", "median distance, ratio", "nearer than a fresh one, %"),
        (*rows, ("expected without copying", *(Number(text) for text in _EXPECTED.values()))),
        note="Distances are of pixels, to what the generator was trained on: lesions in all "
        "quarter turns and flips, and augmentations. Suspiciously near: nearer than the nearest "
        "hundredth of fresh ones. A smooth image is near to everything, so a low ratio alone "
        "proves no copying; and a copy that pixels do not show is not found.",
    )


def _privacy(found: Mapping[str, Any]) -> Table:
    return Table(
        "membership",
        "Do they tell on whom they were trained? An attack on DCGANs over the cohorts.",
        ("", "ours", "of a generator that tells nothing"),
        (
            ("AUC of telling training lesions from others, %", percent(found["auc"]), Number("50")),
            ("training lesions found at 1 % false alarms, %", percent(found["found"]), Number("1")),
        ),
    )


def _diversity(found: Mapping[str, Any]) -> Table:
    return Table(
        "diversity",
        "“More diversity than using few more real images” (4.2.2): equally many images of either "
        "kind are added to a training set. Measured in each class; the mean of the classes.",
        ("added", "fresh lesions covered, %", "variance of what is added"),
        (
            (
                "synthetic lesions, DCGAN",
                percent(found["coverage_synthetic"]),
                plain(found["variance_synthetic"]),
            ),
            ("new real cases", percent(found["coverage_new"]), plain(found["variance_new"])),
        ),
        note="Covered: near a training lesion of their class or what is added to it; the interval "
        "is about other fresh lesions. Variance is in the unit of the feature space.",
    )
