"""The rules by which a claim is judged, fixed before any experiment ran.

A rule reads the 95 % interval of one comparison, never its point estimate, so that too small an
experiment ends in "undecided" and not in a verdict. A claim of several comparisons holds only if
all hold, and one contradiction is enough against it. No correction is made over claims: of twenty
true null differences one verdict in either direction is to be expected.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from training.evaluation.metrics import Interval

Verdict = Literal["consistent", "not consistent", "undecided", "not tested"]
Size = Literal["includes the paper's", "below the paper's", "above the paper's"]

#: A gain of less than this share of the paper's is too small to speak of.
SMALLEST_SHARE = 1 / 3
#: The paper calls CNN-AUG "on a par" with BoVW-MI, which is .6 below it and 4.3 above (Table 6).
PAR = 0.05
#: The paper calls a rise of 2 points an improvement (4.2.2), so less than that is no rise.
RISE = 0.02


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in words, and the same as a function of our interval and the paper's figure."""

    words: str
    decide: Callable[[Interval, float | None], Verdict]


def size(interval: Interval, paper: float) -> Size:
    """Say where our interval lies beside the paper's figure, whatever the verdict on direction."""
    if interval.high < paper:
        return "below the paper's"
    return "above the paper's" if interval.low > paper else "includes the paper's"


def combine(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict on a claim whose comparisons must all hold."""
    found = set(verdicts)
    for worst in ("not consistent", "not tested", "undecided"):
        if worst in found:
            return worst
    return "consistent"


def _choose(*, holds: bool, fails: bool) -> Verdict:
    if holds:
        return "consistent"
    return "not consistent" if fails else "undecided"


def _better(ours: Interval, paper: float | None) -> Verdict:
    smallest = 0.0 if paper is None else SMALLEST_SHARE * paper
    return _choose(holds=ours.low > 0, fails=ours.high < smallest)


def _of_size(ours: Interval, paper: float | None) -> Verdict:
    if paper is None:
        raise ValueError("found no figure of the paper to compare a size with")
    includes = ours.low <= paper <= ours.high
    return _choose(holds=includes and ours.low > 0, fails=not includes)


def _no_more(ours: Interval, _: float | None) -> Verdict:
    return _choose(holds=ours.high < RISE, fails=ours.low > 0)


def _on_a_par(ours: Interval, _: float | None) -> Verdict:
    within = ours.low > -PAR and ours.high < PAR
    return _choose(holds=within, fails=ours.low > PAR or ours.high < -PAR)


def _in_order(ours: Interval, paper: float | None) -> Verdict:
    apart = paper is not None and paper > PAR
    return _choose(holds=ours.low > 0 or (not apart and ours.high >= 0), fails=ours.high < 0)


def _mostly(ours: Interval, _: float | None) -> Verdict:
    return _choose(holds=ours.low > 0.5, fails=ours.high < 0.5)


def _needs_people(_ours: Interval, _paper: float | None) -> Verdict:
    return "not tested"


BETTER = Rule(
    "Consistent if the interval of the difference lies above 0 (how its size compares is said "
    "beside it); else not consistent if it lies below 0, or below a third of the paper's "
    "difference where the paper gives one; else undecided.",
    _better,
)
OF_SIZE = Rule(
    "Consistent if the interval holds the paper's difference and lies above 0; not consistent if "
    "it does not hold the paper's difference; undecided if it holds both it and 0.",
    _of_size,
)
NO_MORE = Rule(
    "Consistent if the interval of the further rise lies below 2 points, the least that the paper "
    "calls an improvement; not consistent if it reaches 2 points and lies above 0; else undecided.",
    _no_more,
)
ON_A_PAR = Rule(
    "Consistent if the interval of the difference lies within 5 points of 0, either way; not "
    "consistent if it lies wholly outside them; else undecided.",
    _on_a_par,
)
IN_ORDER = Rule(
    "Of every pair, better by the paper less worse: not consistent if an interval lies below 0 (a "
    "pair is reversed); consistent if none does and every pair that the paper sets more than 5 "
    "points apart lies above 0; else undecided.",
    _in_order,
)
MOSTLY = Rule(
    "Consistent if the interval of the share lies above one half; not consistent if it lies below; "
    "else undecided.",
    _mostly,
)
NEEDS_PEOPLE = Rule(
    "Not tested: a claim about radiologists needs radiologists. The machine's figure stands beside "
    "it, without a verdict.",
    _needs_people,
)
