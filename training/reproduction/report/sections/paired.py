"""Arms compared lesion by lesion, and how much would have to be run to see a gain."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from training.html.blocks import NOTHING, Content, Section, Table, count, p_value, percent, points
from training.reproduction.report.sections.claims import name_difference, of_training


def section(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section."""
    found = results["paired"]
    words = (
        "Each lesion is its own control. The interval is a bootstrap over patients; McNemar's "
        "exact test counts the lesions that only one of the two arms gets right; Holm's p allows "
        "for the number of rows. The last columns say how many lesions one run would need to "
        "show a gain with a power of 80 %, at this share of lesions that change. McNemar's "
        "test takes lesions as independent, and but for the nested pair sizes were picked on these "
        "folds: no p allows for that.",
        of_training(results),
    )
    again = _seeds(results.get("seeds"))
    blocks = (_lesions(found), *_repeats(found["repeats"]), *again, _cohorts(found))
    title = "Paired comparisons, and what it takes to see a gain"
    return Section("paired-arms", title, words, blocks)


def _lesions(found: Mapping[str, Any]) -> Table:
    rows: tuple[tuple[Content, ...], ...] = tuple(
        (
            name_difference(name),
            points(one["difference"]),
            f"{one['gained']} / {one['lost']}",
            p_value(one["p"]),
            p_value(one["p_holm"]),
            percent(one["discordant"]),
            *map(count, one["lesions_needed"]),
        )
        for name, one in found["lesions"].items()
    )
    columns = ("", "difference, points", "gained / lost", "McNemar p", "Holm p", "changed, %")
    return Table(
        "paired",
        "Two arms on the same lesions of the protocol's folds.",
        (*columns, *_gains(found)),
        rows,
        groups=(("", len(columns)), ("lesions needed for", len(found["gains"]))),
        note="The paper's 143 against 156 of 182 lesions gives p = .035 if 33 lesions changed, "
        ".053 if 39 did; it does not say how many.",
    )


def _repeats(found: Mapping[str, Any] | None) -> Iterator[Table]:
    """Yield what repeats show, where there are several."""
    if not found:
        return
    yield _spread(
        "repeats-arms",
        "Each arm's accuracy over the repeats, which differ in folds and seeds; the same lesions.",
        found["arms"],
        note="The standard deviation's interval takes repeats as normal.",
    )
    yield Table(
        "repeats-pairs",
        "Two arms over repeats and folds, by the corrected resampled t test.",
        ("", "difference, points", "p"),
        tuple(
            (name_difference(name), points(one["difference"]), p_value(one["p"]))
            for name, one in found["pairs"].items()
        ),
        note="Training sets overlap, so the variance of the mean is raised as Nadeau and Bengio "
        "(2003) say.",
    )


def _seeds(found: Mapping[str, Any] | None) -> Iterator[Table]:
    """Yield what other seeds show, where the best arms were trained with several."""
    if not found:
        return
    runs = next(iter(found["arms"].values()))["runs"]
    yield _spread(
        "seeds-arms",
        f"Each arm's accuracy with {runs} seeds of its networks, on the same lesions and folds.",
        found["arms"],
        note="Classifiers and generators are both trained anew. The first seed is that of all "
        "other tables, and groups were picked with it. The standard deviation's interval takes "
        "seeds as normal.",
    )
    yield Table(
        "seeds-pairs",
        "Two arms over the seeds: the chance of training, on just these patients.",
        ("", "difference, points", "p", "of each seed", "standard deviation", *_gains(found)),
        tuple(
            (
                name_difference(name),
                points(one["difference"]),
                p_value(one["p"]),
                ", ".join(points(each).text for each in one["each"]),
                percent(one["sd"]),
                *(NOTHING if n is None else count(n) for n in one["seeds_needed"]),
            )
            for name, one in found["pairs"].items()
        ),
        groups=(("", 5), ("seeds needed for", len(found["gains"]))),
        note="A t interval over seeds. Seeds needed: for a power of 80 %, at this standard "
        "deviation; they would show a gain on these patients, and on no others.",
    )


def _spread(name: str, caption: str, arms: Mapping[str, Any], *, note: str) -> Table:
    return Table(
        name,
        caption,
        ("", "mean, %", "standard deviation, points", "lowest, %", "highest, %"),
        tuple(
            (arm, *map(percent, (one["mean"], one["sd"], one["low"], one["high"])))
            for arm, one in arms.items()
        ),
        note=note,
    )


def _cohorts(found: Mapping[str, Any]) -> Table:
    rows: tuple[tuple[Content, ...], ...] = tuple(
        (
            name_difference(name),
            percent(one["sd"]),
            percent(one["detectable"]),
            *(NOTHING if n is None else count(n) for n in one["cohorts_needed"]),
        )
        for name, one in found["cohorts"].items()
    )
    return Table(
        "cohorts-power",
        "With the cohort as the unit: what 80 % power takes, on the same fresh lesions.",
        ("", "standard deviation of a difference", "smallest gain seen here", *_gains(found)),
        rows,
        groups=(("", 1), ("points", 2), ("cohorts needed for", len(found["gains"]))),
    )


def _gains(found: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{points(gain).text} points" for gain in found["gains"])
