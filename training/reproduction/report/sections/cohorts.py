"""The primary claim, with the cohort as the unit."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.html.blocks import (
    NOTHING,
    Figure,
    Number,
    Section,
    Table,
    p_value,
    percent,
    plain,
    points,
    signed,
)
from training.reproduction import paper
from training.reproduction.report.figures import cohorts as figure
from training.reproduction.report.sections import claims

ARMS = {
    "none": "no augmentation",
    "classic": "classic augmentation",
    "gan": "classic + synthetic (DCGAN per class)",
    "conditional": "classic + synthetic (small-data GAN)",
    "upper_bound": "upper bound: fresh lesions in place of augmented few",
}


def section(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section."""
    found = results["cohorts"]
    accuracy: Mapping[str, Sequence[float]] = found["accuracy"]
    words = (
        f"{found['cohorts']} cohorts train every arm for {found['updates']} updates each, and all "
        f"judge the same {found['test_lesions']:,} fresh lesions. One cohort gives one paired "
        "difference. Its interval is about other cohorts and other lesions: the variance of the "
        "mean is that over cohorts, and what the lesions that all share add, by a t quantile, as "
        "in a study of several readers and the same cases.",
        "The upper bound trains on many more simulated lesions in place of the cohort's, the same "
        "for all cohorts, with as many augmentations and as long. What lies between classic and "
        "upper bound is the headroom: no generator that knows only the cohort can be expected to "
        f"pass it.{_headroom(found['comparisons'])}",
    )
    shown = Figure(
        "cohorts-figure",
        "Accuracy on fresh lesions. A dot is a cohort, a line joins its arms, a bar is the mean.",
        (figure.draw(accuracy),),
    )
    return Section(
        "cohorts",
        "The primary claim: the cohort as the unit",
        words,
        (shown, _arms(found), _differences(found["comparisons"])),
    )


def _headroom(comparisons: Mapping[str, Any]) -> str:
    """Say so where the paper's gain was not to be had from any images at all."""
    _, _, most = comparisons["upper_bound - classic"]["difference"]
    gain = (paper.TABLE_6["CNN-AUG-GAN"].sensitivity - paper.TABLE_6["CNN-AUG"].sensitivity) / 100
    if most >= gain:
        return ""
    return (
        f" Here it is at most {points(most).text.removeprefix('+')} points (95 %): not even these "
        f"lesions add the paper's {points(gain).text.removeprefix('+')} to such a network, so the "
        "verdict on that size is about this phantom, and about how long these networks are "
        "trained, as much as about the method."
    )


def _arms(found: Mapping[str, Any]) -> Table:
    rows = []
    for name, values in found["accuracy"].items():
        likelihood = np.mean(found["negative_log_likelihood"][name])
        rows.append(
            (
                ARMS.get(name, name),
                percent(float(np.mean(values))),
                percent(float(np.std(values, ddof=1))),
                plain(float(likelihood)),
            )
        )
    return Table(
        "cohorts-arms",
        "Each arm on the fresh lesions, over the cohorts.",
        ("arm", "mean accuracy, %", "standard deviation, points", "negative log-likelihood"),
        tuple(rows),
    )


def _differences(comparisons: Mapping[str, Any]) -> Table:
    rows = []
    for name, found in comparisons.items():
        if not isinstance(found, Mapping):
            continue
        better = name.split(" - ")[0]
        share = comparisons.get(f"{better}, share of headroom")
        rows.append(
            (
                claims.name_difference(name),
                points(found["difference"]),
                p_value(found["p"]),
                Number(points(found["cohorts_alone"]).quiet),
                signed(found["negative_log_likelihood"]),
                percent(share, decimals=0) if share else NOTHING,
            )
        )
    return Table(
        "cohorts-differences",
        "Mean paired differences, with their intervals over cohorts and lesions.",
        (
            *("difference", "points", "p", "on just these lesions"),
            *("negative log-likelihood, on just these", "share of the headroom, %"),
        ),
        tuple(rows),
        note="On just these lesions: the t interval over cohorts alone. The share's interval is "
        "Fieller's, about other cohorts too; it takes as given the lesions that judge. No interval "
        "holds the chance of the upper bound's own lesions, which all cohorts share. Where no "
        "headroom was found for sure there is no share.",
    )
