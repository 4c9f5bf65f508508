"""The paper's claims: a verdict on each, the rule behind it, the evidence that it rests on."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from training.html.blocks import (
    NOTHING,
    Line,
    Mark,
    Number,
    Section,
    Table,
    Terms,
    percent,
    points,
    signed,
)
from training.networks.generators import KINDS
from training.reproduction.claims.rules import Verdict
from training.reproduction.claims.verdicts import in_words

_MARKS: dict[Verdict, Mark] = {
    "consistent": "yes",
    "not consistent": "no",
    "undecided": "open",
    "not tested": "untested",
}
_BY_WORDS = {
    in_words(verdict, simulated=simulated): mark
    for verdict, mark in _MARKS.items()
    for simulated in (True, False)
}
#: Evidence that is no proportion.
_PLAIN = ("silhouette", "feature variance")
#: Arms whose names in `results.json` are short.
_ARMS = {
    "new": "new cases",
    "gan": "synthetic",
    "upper_bound": "upper bound",
    **{name: kind.title for name, kind in KINDS.items()},
}
#: Where our interval lies beside the paper's figure.
_BESIDE = {
    "below the paper's": ", ours below",
    "above the paper's": ", ours above",
    "includes the paper's": ", within ours",
}
#: More comparisons than these are counted in the table of claims; all stand in that of evidence.
_SHOWN = 4


def section(results: Mapping[str, Any]) -> Section:
    """Return the section."""
    claims = results["claims"]
    rules = dict.fromkeys(found["rule"] for found in claims)
    letters = dict(zip(rules, ascii_uppercase, strict=False))
    words = (
        f"{_counted(results)} The rules were written before the first experiment ran; how some "
        "intervals are computed, and the wording of two claims, were corrected after it. They read "
        "the 95 % interval and never the point estimate, so too small an experiment ends "
        "undecided. A claim of several comparisons holds only if all hold, and one that is not "
        "consistent is enough against it. No correction is made over claims.",
        "Group sizes were picked on the folds that are reported, as in the paper, but where a "
        "comparison says otherwise; intervals do not allow for that.",
        f"Intervals of the folds are over patients. {of_training(results)}",
    )
    explained = Terms("rules", tuple((f"Rule {letter}", rule) for rule, letter in letters.items()))
    return Section("claims", "The paper's claims", words, (_verdicts(claims, letters), explained))


def evidence(results: Mapping[str, Any]) -> Section:
    """Return the section of all comparisons behind the verdicts."""
    rows, marks = [], []
    for found in results["claims"]:
        for finding in found["findings"]:
            key = finding["key"]
            rows.append(
                (
                    Number(name_difference(key), finding["meaning"]),
                    write(key, finding["ours"]),
                    write(key, finding["paper"]),
                    finding["size"] or "",
                    finding["verdict"],
                )
            )
            marks.append(_BY_WORDS[finding["verdict"]])
    table = Table(
        "evidence-table",
        "Every comparison, in the order of the claims. Differences of proportions are in points, "
        "shares in percent; silhouettes and variances have no unit.",
        ("comparison", "ours", "paper", "our interval", "by its rule"),
        tuple(rows),
        marks=tuple(marks),
        stacks=True,
    )
    words = (f"Intervals of the protocol's folds are over patients. {of_training(results)}",)
    return Section("evidence", "Evidence", words, (table,))


def write(key: str, found: float | Sequence[float] | None) -> Number:
    """Write evidence in its unit."""
    if key.startswith(_PLAIN):
        return signed(found)
    return points(found) if " - " in key else percent(found)


def name_difference(key: str) -> str:
    """Write a difference's name with a minus, which a hyphen within a name is not."""
    return " − ".join(_ARMS.get(arm, arm) for arm in key.split(" - "))


def _verdicts(claims: Sequence[Mapping[str, Any]], letters: Mapping[str, str]) -> Table:
    rows = tuple(
        (
            Number(found["text"], found["where"]),
            found["verdict"],
            tuple(_evidence(found["findings"])),
            letters[found["rule"]],
        )
        for found in claims
    )
    return Table(
        "claims-table",
        "What the paper says, and what this run lets us say of it.",
        ("claim", "verdict", "evidence: ours, 95 % interval; paper", "rule"),
        rows,
        marks=tuple(_BY_WORDS[found["verdict"]] for found in claims),
        stacks=True,
    )


def _evidence(findings: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    if len(findings) > _SHOWN:
        counted = Counter(finding["verdict"] for finding in findings)
        told = ", ".join(f"{count} {verdict}" for verdict, count in counted.items())
        yield Line(f"{len(findings)} comparisons", Number(told))
        return
    for finding in findings:
        key = finding["key"]
        theirs = write(key, finding["paper"])
        cells_beside_paper = _BESIDE.get(finding["size"], "")
        words = "" if theirs is NOTHING else f"paper {theirs.text}{cells_beside_paper}"
        yield Line(name_difference(key), write(key, finding["ours"]), words)


def of_training(results: Mapping[str, Any]) -> str:
    """Say what intervals over patients leave out."""
    repeats = results["run"]["resolved"]["repeats"]
    if repeats > 1:
        return (
            f"The chance of training is not in them: each arm counts with the mean of {repeats} "
            "repeats, and how far these lie apart stands with the paired comparisons."
        )
    if results.get("seeds"):
        return (
            "The chance of training is not in them: how far other seeds of the best arms lie apart "
            "stands with the paired comparisons."
        )
    return (
        "The chance of training is not in them: every network was trained once, and other seeds "
        "would give other differences."
    )


def _counted(results: Mapping[str, Any]) -> str:
    claims, simulated = results["claims"], results["run"]["cohort"]["simulated"]
    counted = Counter(found["verdict"] for found in claims)
    every = (in_words(verdict, simulated=simulated) for verdict in _MARKS)
    told = ", ".join(f"{counted[verdict]} {verdict}" for verdict in every)
    return f"Of {len(claims)} claims: {told}."
