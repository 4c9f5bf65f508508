"""Taking turns: each round measures everything once, so that a noisy minute harms all alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.bare import timed
from benchmarks.client import ask, load
from benchmarks.machine import on_core
from benchmarks.parts import Part
from benchmarks.sample import Sample
from benchmarks.server import Server


@dataclass(frozen=True, slots=True)
class Row:
    """A part at one concurrency: a sample a round, beside that round's of the bare functions."""

    part: Part
    concurrency: int
    bare: list[Sample]
    served: list[Sample]


def check(server: Server, parts: Sequence[Part]) -> None:
    """Raise `RuntimeError` unless the service answers what the bare functions answer."""
    for part in parts:
        if not part.agrees(ask(server.port, part.request)):
            raise RuntimeError(f"{part.name}: found an answer unlike that of the bare functions")


def measure(
    server: Server,
    parts: Sequence[Part],
    *,
    rounds: int,
    seconds: float,
    cores: tuple[int, int],
    told: Callable[[str], None] = lambda _: None,
) -> list[Row]:
    """Measure each part for `seconds` at a time.

    `cores` are the server's, where the bare functions run too while it waits, and the client's.
    """
    rows = [Row(part, number, [], []) for part in parts for number in part.concurrency]
    for turn in range(rounds):
        for part in parts:
            told(f"round {turn + 1} of {rounds}: {part.name}")
            with on_core(cores[0]):
                bare = timed(part.bare, images=part.bare_images, seconds=seconds)
            with on_core(cores[1]):
                for row in rows:
                    if row.part is part:
                        row.bare.append(bare)
                        row.served.append(_served(server, row, seconds))
    return rows


def _served(server: Server, row: Row, seconds: float) -> Sample:
    before = server.cpu_seconds()
    seen = load(server.port, row.part.request, concurrency=row.concurrency, seconds=seconds)
    return Sample(
        seen.requests * row.part.images,
        seen.seconds,
        server.cpu_seconds() - before,
        seen.p50_ms,
        seen.p95_ms,
        client_share=seen.share,
    )
