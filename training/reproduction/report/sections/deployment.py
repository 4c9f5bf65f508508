"""What a bundle would be worth: calibration, coverage, abstention, and what it turns away."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.html.blocks import Content, Figure, Number, Section, Table, percent, plain
from training.phantom.classes import CLASSES
from training.reproduction.report.figures import risk

_KINDS = {
    "hcc": "HCC",
    "fnh": "FNH",
    "normal": "normal liver",
    "unenhanced": "the classes, unenhanced",
    "arterial": "the classes, arterial phase",
}


def section(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section."""
    arms = results["deployment"]
    words = (
        "Temperature, prediction sets and the threshold for foreign lesions are fitted on the "
        "cohort's own folds, as a bundle's are; a final network, fitted on the whole cohort, is "
        "then judged on fresh lesions of the same kind and on lesions that are none of the three "
        "classes or of another phase.",
    )
    shown = Figure(
        "risk-coverage",
        "Abstention: the share of wrong answers among those given, the surest first.",
        (risk.draw(arms),),
    )
    blocks = (_fresh(arms), shown, _neighbours(arms))
    return Section("deployment", "As a service: calibration, abstention, rejection", words, blocks)


def _fresh(arms: Mapping[str, Any]) -> Table:
    rows: list[tuple[Content, ...]] = []

    def add(name: str, *numbers: Number) -> None:
        rows.append((name, *numbers))

    fresh = [arm["fresh"] for arm in arms.values()]
    add("accuracy, %", *(percent(one["accuracy"]) for one in fresh))
    add("negative log-likelihood", *(plain(one["negative_log_likelihood"]) for one in fresh))
    errors = [one["expected_calibration_error"] for one in fresh]
    add("expected calibration error", *(plain(error, decimals=3) for error in errors))
    add("temperature", *(plain(one["temperature"]) for one in fresh))
    for name in CLASSES:
        add(f"{name}: in the prediction set, %", *(percent(one["coverage"][name]) for one in fresh))
    for k, name in enumerate(CLASSES):
        add(f"{name}: classes in the set, mean", *(plain(one["set_size"][k]) for one in fresh))
    add("abstained: not one class in the set, %", *(percent(one["abstained"]) for one in fresh))
    add("turned away as foreign, %", *(percent(one["turned_away"]) for one in fresh))
    areas = [arm["risk_coverage"]["area"] for arm in arms.values()]
    add("area under the risk-coverage curve", *(plain(area, decimals=3) for area in areas))
    return Table(
        "deployment-fresh",
        "On fresh lesions of the three classes, by what the network was trained on.",
        ("", *arms),
        tuple(rows),
        note="Sets are made to hold the true class in 90 % of lesions; 5 % of lesions may be "
        "turned away.",
    )


def _neighbours(arms: Mapping[str, Any]) -> Table:
    (first, *_) = arms.values()
    per_arm = ("AUROC, %", "let in at 95 % recall, %", "one class, not turned away, %")
    rows = tuple(
        (
            _KINDS.get(kind, kind),
            *(
                cell
                for arm in arms.values()
                for cell in (
                    percent(arm["neighbours"][kind]["auroc"]),
                    percent(arm["neighbours"][kind]["false_positive_rate"]),
                    percent(arm["neighbours"][kind]["sure"]),
                )
            ),
        )
        for kind in first["neighbours"]
    )
    return Table(
        "neighbours",
        "What is none of the three classes, or of another phase; never trained on.",
        ("", *(column for _ in arms for column in per_arm)),
        rows,
        groups=(("", 1), *((name, len(per_arm)) for name in arms)),
        note="50 % AUROC is chance; the last column of each arm is the error that a service "
        "would make.",
    )
