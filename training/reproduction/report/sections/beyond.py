"""Beyond the paper: other ways to get more out of a cohort, each beside classic and upper bound."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.html.blocks import (
    NOTHING,
    Content,
    Mark,
    Section,
    Table,
    p_value,
    percent,
    plain,
    points,
)
from training.reproduction.report.sections.cohorts import ARMS as OF_THE_CLAIM


def section(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section."""
    found = results["beyond"]
    ways = (
        "Ways to get more out of the same cohorts, tested as the primary claim is: as many updates "
        "and as many added images, the same fresh lesions. No setting was tuned on those lesions; "
        "but lesions bent, transplanted and rescanned at once were thought of after earlier runs "
        "had shown the others on them, in place of generators trained for longer; to add further "
        "surroundings, after that. Images that are mixed or transplanted need no network: a "
        "generator has to beat them."
    )
    flips = (
        "A network that also looks at a lesion's three flips and takes the mean (test-time "
        "augmentation) needs no image more. Every arm is given it, the upper bound too."
    )
    once = _arms(found, "once", "beyond-once", "Each way on the fresh lesions.")
    words = (*((ways,) if found["arms"] else ()), _goal(found), flips)
    tables = (
        *((once,) if found["arms"] else ()),  # else the arms of the claim, which has its own table
        _arms(found, "flips", "beyond-flips", "Each lesion and its three flips."),
        _flips(found["flips_gain"], found["arms"]),
    )
    return Section("beyond", "Beyond the paper", words, tables)


def _goal(found: Mapping[str, Any]) -> str:
    goal = "The goal: a gain whose interval excludes 0, and half of the way to the upper bound. "
    reached = [
        f"{_name(name, found['arms'])}{' (with flips)' if looks == 'flips' else ''}"
        for looks in ("once", "flips")
        for name, gain in found[looks]["gains"].items()
        if gain["goal"]
    ]
    if not reached:
        return f"{goal}No arm reaches it."
    return f"{goal}Reached by: {'; '.join(reached)}."


def _arms(found: Mapping[str, Any], looks: str, name: str, caption: str) -> Table:
    figures, rows, marks = found[looks], [], []
    for arm, accuracy in figures["accuracy"].items():
        gain = figures["gains"].get(arm)
        if arm == "upper_bound":
            gain = figures["headroom"]
        rows.append(
            (
                _name(arm, found["arms"]),
                percent(float(np.mean(accuracy))),
                plain(float(np.mean(figures["negative_log_likelihood"][arm]))),
                *_gain(gain),
            )
        )
        goal: Mark | None = "yes" if gain and gain.get("goal") else None
        marks.append(goal)
    return Table(
        name,
        caption,
        (
            "arm",
            "mean accuracy, %",
            "negative log-likelihood",
            "less classic, points",
            "p (Holm)",
            "share of the headroom, %",
        ),
        tuple(rows),
        marks=tuple(marks),
        note="Intervals are about other cohorts and lesions, the share's about cohorts alone. "
        "p counts in how many arms were tried (Holm).",
    )


def _gain(gain: Mapping[str, Any] | None) -> tuple[Content, ...]:
    if gain is None:
        return NOTHING, NOTHING, NOTHING
    share: Sequence[float] | None = gain.get("share")
    return (
        points(gain["difference"]),
        p_value(gain["p_holm"]) if "p_holm" in gain else NOTHING,
        percent(share, decimals=0) if share else NOTHING,
    )


def _flips(gains: Mapping[str, Any], names: Mapping[str, str]) -> Table:
    rows = tuple(
        (_name(arm, names), points(gain["difference"]), p_value(gain["p"]))
        for arm, gain in gains.items()
    )
    return Table(
        "beyond-flips-gain",
        "What the flips alone add to each arm.",
        ("arm", "points", "p"),
        rows,
    )


def _name(arm: str, names: Mapping[str, str]) -> str:
    return OF_THE_CLAIM[arm] if arm in OF_THE_CLAIM else f"classic + {names[arm]}"
