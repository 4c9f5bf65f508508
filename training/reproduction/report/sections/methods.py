"""Table 5 (generators), Table 6 (methods) and where its order differs, and the controls."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.html.blocks import Content, Section, Table, percent, plain
from training.reproduction import paper
from training.reproduction.report.sections.curves import ArmFigures, cells_beside_paper, point_of

#: The paper's names of the baselines, by ours.
_BASELINES = {
    "bovw-mi-multi": "BoVW-MI-multi",
    "bovw-mi-single": "BoVW-MI-single",
    "gabor-svm": "Gabor + SVM",
    "glcm-svm": "GLCM + SVM",
}
_GROUPS = (("", 1), ("sensitivity (total accuracy), %", 2), ("specificity, %", 2))
_COLUMNS = ("ours", "paper", "ours", "paper")


def generators(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section of Table 5."""
    curves, chosen, titles = results["curves"], results["chosen"], results["run"]["generators"]
    first = next(iter(titles))
    ours: dict[str, ArmFigures] = {
        f"CNN-AUG-GAN ({title})": _best(curves[kind]) for kind, title in titles.items()
    }
    ours[f"CNN-AUG-GAN ({titles[first]})"] = point_of(curves[first], chosen["synthetic"])
    for kind, title in titles.items():
        if f"{kind} discriminator" in curves:
            ours[f"{title} discriminator"] = curves[f"{kind} discriminator"]
    names = [*paper.TABLE_5, *(name for name in ours if name not in paper.TABLE_5)]
    table = Table(
        "table-5",
        "Table 5: generators, each at its best group.",
        ("", *_COLUMNS),
        tuple(
            (name, *cells_beside_paper(ours.get(name), paper.TABLE_5.get(name))) for name in names
        ),
        groups=_GROUPS,
        note="Best on the reported folds, as the paper chose. The small-data GAN is no part of "
        "the paper: one class-conditional network with differentiable augmentation, an average of "
        "its weights and spectral norm.",
    )
    return Section("generators", "Generators", (), (table,))


def baselines(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section of Table 6."""
    curves, chosen = results["curves"], results["chosen"]
    ours: dict[str, ArmFigures] = {
        "CNN-AUG-GAN": point_of(
            curves[next(iter(results["run"]["generators"]))], chosen["synthetic"]
        ),
        "CNN-AUG": point_of(curves["classic"], chosen["classic"]),
        **{_BASELINES.get(name, name): found for name, found in results["baselines"].items()},
    }
    table = Table(
        "table-6",
        "Table 6: methods, on the same lesions and folds.",
        ("", *_COLUMNS),
        tuple(
            (name, *cells_beside_paper(found, paper.TABLE_6.get(name)))
            for name, found in ours.items()
        ),
        groups=_GROUPS,
    )
    return Section("methods", "Other methods", (_order(ours),), (table,))


def controls(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section of what the paper lacks."""
    found = results["controls"]
    rows: tuple[tuple[Content, ...], ...] = tuple(
        (
            name,
            percent(arm["accuracy"]),
            plain(arm["negative_log_likelihood"]),
            plain(arm["expected_calibration_error"]),
        )
        for name, arm in found["arms"].items()
    )
    table = Table(
        "controls-table",
        f"Every arm after {found['updates']} updates, on the same folds.",
        ("training set", "total accuracy, %", "negative log-likelihood", "calibration error"),
        rows,
        note="At this number of lesions even a perfectly calibrated network shows a calibration "
        "error of some hundredths.",
    )
    words = (
        "The paper trains for 150 epochs whatever the size of the set, so its arm without "
        "augmentation gets a few hundred updates and its best arm thousands: a part of what "
        "augmentation gains is updates. Here all arms get equally many. “Synthetic alone” saw "
        "no real lesion.",
    )
    return Section("controls", "Controls that the paper lacks", words, (table,))


def _best(curve: list[ArmFigures]) -> ArmFigures:
    """Return a curve's best point, the smallest of equals."""
    return max(curve, key=lambda point: (sum(point["repeats"]), -point["size"]))


def _order(ours: Mapping[str, ArmFigures]) -> str:
    """Say where our order differs from the paper's."""
    known = [name for name in ours if name in paper.TABLE_6]
    theirs = sorted(known, key=lambda name: -paper.TABLE_6[name].sensitivity)
    mine = sorted(known, key=lambda name: (-ours[name]["accuracy"][0], theirs.index(name)))
    order = f"The paper's order is {', '.join(theirs)}."
    if mine == theirs:
        return f"{order} Ours is the same."
    reversed_pairs = sum(
        ours[theirs[i]]["accuracy"][0] < ours[theirs[j]]["accuracy"][0]
        for i in range(len(theirs))
        for j in range(i + 1, len(theirs))
    )
    pairs = len(theirs) * (len(theirs) - 1) // 2
    return (
        f"{order} Ours differs: {', '.join(mine)}. Of {pairs} pairs, {reversed_pairs} stand the "
        "other way round; which of them are more than chance, the claim on the order of methods "
        "says."
    )
