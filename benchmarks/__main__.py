"""`python -m benchmarks`: measure the service, print a table, write the samples as JSON."""

import argparse
import json
import sys
from pathlib import Path

from benchmarks import machine, report, rounds
from benchmarks.parts import parts
from benchmarks.server import serve
from lesion.bundle.read import read


def main(arguments: list[str] | None = None) -> None:
    """Measure what the arguments ask for."""
    args = _parser().parse_args(arguments)
    server_core, client_core = cores = machine.cores()
    bundle = read(args.bundle)
    asked = [part for part in parts(bundle) if args.only in part.name]
    if not asked:
        raise SystemExit(f"--only: found no part with {args.only!r} in its name")
    with machine.on_core(client_core):
        starts = []
        for _ in range(args.starts - 1):
            with serve(args.bundle, server_core) as server:
                starts.append(server.start)
        with serve(args.bundle, server_core) as server:
            starts.append(server.start)
            ready = server.memory_mb()
            rounds.check(server, asked)
            rows = rounds.measure(
                server, asked, rounds=args.rounds, seconds=args.seconds, cores=cores, told=_tell
            )
            result = report.Result(rows, starts, {"ready": ready, "after": server.memory_mb()})
    print(report.text(result))
    measured = {
        "machine": machine.describe(),
        "bundle": {"name": bundle.manifest.name, "digest": bundle.digest},
        "rounds": args.rounds,
        "seconds": args.seconds,
        **report.data(result),
    }
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"))
    parser.add_argument("--only", default="", metavar="TEXT", help="parts with this in their name")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--starts", type=int, default=5, help="cold starts")
    parser.add_argument("--out", type=Path, default=Path("build/benchmarks.json"))
    return parser


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr)


if __name__ == "__main__":
    main()
