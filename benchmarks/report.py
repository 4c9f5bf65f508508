"""Figures as a table for people and as JSON for machines.

A ratio is one of medians over the rounds. Its spread is that of the rounds' own ratios, each of
measurements made within seconds of each other.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median

from benchmarks.rounds import Row
from benchmarks.sample import Sample
from benchmarks.server import Memory, Start

COLD_START_AIM_S = 3.0
MEMORY_AIM_MB = 350.0

#: Below it, somebody else ran on the server's core; above it, the client was the limit.
_OWN_CORE, _CLIENT_LIMIT = 0.95, 0.9

_HEAD = (
    *("request", "at once", "images/s", "over bare", "rounds", "CPU ms", "bare CPU ms"),
    *("CPU over bare", "p50 ms", "p50 over bare", "p95 ms", "p95/p50", "client"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """All that was measured."""

    rows: list[Row]
    starts: list[Start]
    memory_mb: dict[str, Memory]


def text(result: Result) -> str:
    """Return everything in Markdown."""
    lines = [
        _line(_HEAD),
        _line(["---"] * len(_HEAD)),
        *(_line(_cells(row)) for row in result.rows),
        "",
        *(f"- {line}" for line in [*_aims(result), *_doubts(result.rows)]),
    ]
    return "\n".join(lines)


def data(result: Result) -> dict[str, object]:
    """Return everything as JSON's types, each round's sample by itself."""
    return {
        "starts": [start._asdict() for start in result.starts],
        "memory_mb": {when: held._asdict() for when, held in result.memory_mb.items()},
        "rows": [
            {
                "request": row.part.name,
                "concurrency": row.concurrency,
                "over_bare": over_bare(row),
                "bare": [asdict(sample) for sample in row.bare],
                "served": [asdict(sample) for sample in row.served],
            }
            for row in result.rows
        ],
    }


def over_bare(row: Row) -> float:
    """Return the service's throughput over that of the bare functions."""
    return _median(row.served, _per_second) / _median(row.bare, _per_second)


def tail(row: Row) -> float:
    """Return the 95th percentile of latency over its median."""
    return _median(row.served, lambda s: s.p95_ms) / _median(row.served, lambda s: s.p50_ms)


def _per_second(sample: Sample) -> float:
    return sample.per_second


def _median(samples: Sequence[Sample], figure: Callable[[Sample], float]) -> float:
    return median(map(figure, samples))


def _cells(row: Row) -> list[str]:
    ratios = [s.per_second / b.per_second for s, b in zip(row.served, row.bare, strict=True)]
    cpu_ms, bare_cpu_ms = (
        _median(samples, lambda s: s.cpu_ms) for samples in (row.served, row.bare)
    )
    return [
        row.part.name,
        str(row.concurrency),
        f"{_median(row.served, _per_second):.0f}",
        f"{over_bare(row):.2f}",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        f"{cpu_ms:.2f}",
        f"{bare_cpu_ms:.2f}",
        f"{bare_cpu_ms / cpu_ms:.2f}",
        f"{_median(row.served, lambda s: s.p50_ms):.1f}",
        f"{_median(row.served, lambda s: s.p50_ms) / _median(row.bare, lambda s: s.p50_ms):.1f}",
        f"{_median(row.served, lambda s: s.p95_ms):.1f}",
        f"{tail(row):.1f}",
        f"{max(s.client_share for s in row.served):.0%}",
    ]


def _aims(result: Result) -> list[str]:
    judged = [row for row in result.rows if row.concurrency == max(row.part.concurrency)]
    lines = [
        _aim(f"{row.part.name}, over bare", over_bare(row), at_least=row.part.aim)
        for row in judged
        if row.part.aim
    ]
    lines += [
        _aim(f"{row.part.name}, p95/p50", tail(row), at_most=row.part.aim_tail)
        for row in judged
        if row.part.aim_tail
    ]
    seconds = [start.seconds for start in result.starts]
    cpu_s = median(start.cpu_seconds for start in result.starts)
    among = f"{min(seconds):.2f}-{max(seconds):.2f} of {len(seconds)}, {cpu_s:.2f} of a core"
    lines.append(_aim(f"cold start, s ({among})", median(seconds), at_most=COLD_START_AIM_S))
    lines += [
        _aim(
            f"memory, MB, {when} ({held.summed:.0f} with shared pages summed)",
            held.resident,
            at_most=MEMORY_AIM_MB,
        )
        for when, held in result.memory_mb.items()
    ]
    return lines


def _aim(
    name: str, value: float, *, at_least: float | None = None, at_most: float | None = None
) -> str:
    if at_least is not None:
        return f"{name}: {value:.2f}, aim at least {at_least:g}: {_met(value >= at_least)}"
    return f"{name}: {value:.2f}, aim at most {at_most:g}: {_met(value <= (at_most or 0))}"


def _met(met: bool) -> str:
    return "met" if met else "MISSED"


def _doubts(rows: Sequence[Row]) -> list[str]:
    """Say what makes the figures less sure."""
    doubts = []
    shares = [sample.cpu_seconds / sample.seconds for row in rows for sample in row.bare]
    if min(shares) < _OWN_CORE:
        doubts.append(
            f"busy machine: the bare functions had {min(shares):.0%} to {max(shares):.0%} of their "
            "core; measure again on a quiet one; the CPU columns suffer less"
        )
    limited = [row for row in rows if max(s.client_share for s in row.served) > _CLIENT_LIMIT]
    doubts += [f"{row.part.name} at {row.concurrency}: the client was the limit" for row in limited]
    return doubts


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
