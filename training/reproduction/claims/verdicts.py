"""The verdict on each claim of the paper, from the intervals that the experiments found.

On a simulated cohort a claim is at most consistent in simulation (`in_words`). It is never
reproduced.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from training.evaluation.metrics import Interval
from training.reproduction.claims.claims import CLAIMS, Claim, Comparison
from training.reproduction.claims.rules import Rule, Size, Verdict, combine, size


@dataclass(frozen=True, slots=True)
class Finding:
    """Our interval of a comparison (None: not run), its verdict, its size beside the paper's."""

    comparison: Comparison
    ours: Interval | None
    verdict: Verdict
    size: Size | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A claim with its verdict and the findings behind it."""

    claim: Claim
    verdict: Verdict
    findings: tuple[Finding, ...]


def judge(evidence: Mapping[str, Interval]) -> tuple[Judgement, ...]:
    """Judge every claim; one whose evidence is missing is "not tested".

    Raise `ValueError` for a name that no claim knows, or an interval that is none.
    """
    known = {comparison.key for claim in CLAIMS for comparison in claim.comparisons}
    if unknown := sorted(evidence.keys() - known):
        raise ValueError(f"found evidence that no claim asks for: {', '.join(unknown)}")
    for key, interval in evidence.items():
        if not interval.low <= interval.high:
            raise ValueError(f"{key}: found the interval {interval.low} to {interval.high}")
    return tuple(_judge(claim, evidence) for claim in CLAIMS)


def in_words(verdict: Verdict, *, simulated: bool) -> str:
    """Say of a verdict that it is one in simulation, where the cohort is simulated."""
    decided = verdict in ("consistent", "not consistent")
    return f"{verdict} in simulation" if simulated and decided else verdict


def _judge(claim: Claim, evidence: Mapping[str, Interval]) -> Judgement:
    findings = tuple(_find(claim.rule, c, evidence.get(c.key)) for c in claim.comparisons)
    return Judgement(claim, combine(finding.verdict for finding in findings), findings)


#: What adding up in another order may change is less; an end so near to a bound lies on it.
_DECIMALS = 9


def _find(rule: Rule, comparison: Comparison, ours: Interval | None) -> Finding:
    if ours is None:
        return Finding(comparison, None, "not tested", None)
    settled = Interval(*(round(end, _DECIMALS) for end in ours))
    beside = None if comparison.paper is None else size(settled, comparison.paper)
    return Finding(comparison, ours, rule.decide(settled, comparison.paper), beside)
