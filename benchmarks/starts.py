"""`python -m benchmarks.starts`: what one process saves over BentoML's two, until it is ready.

The two take turns; ratios are of medians over the rounds.
"""

import argparse
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.server import BENTO, SERVICE, Server, serve

_COMMANDS = {"python -m service": SERVICE, "bentoml serve": BENTO}
_HEAD = ("start", "ready after, s", "of a core, s", "PSS MB", "RSS MB", "processes")


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print a table."""
    args = _parser().parse_args(arguments)
    server_core, client_core = machine.cores()
    seen: dict[str, list[tuple[float, ...]]] = {name: [] for name in _COMMANDS}
    with machine.on_core(client_core):
        for _ in range(args.rounds):
            for name, command in _COMMANDS.items():
                with serve(args.bundle, server_core, command=command) as server:
                    seen[name].append(_figures(server))
    print(text(seen))


def _figures(server: Server) -> tuple[float, ...]:
    memory = server.memory_mb()
    processes = 1 + len(server.process.children(recursive=True))
    return (*server.start, memory.resident, memory.summed, processes)


def text(seen: dict[str, list[tuple[float, ...]]]) -> str:
    """Return the table: medians, and those of the first command over those of the second."""
    rows = {name: [median(column) for column in zip(*rounds, strict=True)]
            for name, rounds in seen.items()}  # fmt: skip
    one, two = rows.values()
    rows["ratio"] = [a / b for a, b in zip(one, two, strict=True)]
    lines = [" | ".join(_HEAD), " | ".join(["---"] * len(_HEAD))]
    lines += [" | ".join([name, *(f"{value:.2f}" for value in row)]) for name, row in rows.items()]
    return "\n".join(f"| {line} |" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.starts", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"))
    parser.add_argument("--rounds", type=int, default=5)
    return parser


if __name__ == "__main__":
    main()
