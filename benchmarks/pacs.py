"""`python -m benchmarks.pacs`: what a classification by reference costs over pulling its files.

Orthanc and the service run in a network of their own, so this needs root. A round asks the PACS for
the image and for the SEG, as any client would, and then the service for a classification of the
same image with a box, and with the SEG. Ratios are of times of the same round.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import machine, orthanc
from benchmarks.client import Load, Request, ask, load
from benchmarks.server import serve

EXAMPLES = Path(__file__).parents[1] / "examples"
ROI = {"type": "box", "x0": 216, "y0": 268, "x1": 241, "y1": 293}

#: Requests at once: a PACS is not ours to load.
_CONCURRENCY = (1, 4)
_INSIDE = "--inside"
_HEAD = (
    *("request", "at once", "requests/s", "p50 ms", "p95 ms", "WADO p50 ms"),
    *("p50 over WADO", "rounds"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A request to the service, and those to the PACS that pull the same files one by one.

    `seen` holds a load for each round, `pulled` those of each file in that round.
    """

    name: str
    request: Request
    files: Sequence[Request]
    concurrency: int
    seen: list[Load] = field(default_factory=list)
    pulled: list[list[Load]] = field(default_factory=list)

    def over(self) -> list[float]:
        """Return the median time of an answer over those of its files, round by round."""
        return [
            load.p50_ms / sum(file.p50_ms for file in files)
            for load, files in zip(self.seen, self.pulled, strict=True)
        ]


def main(arguments: list[str] | None = None) -> None:
    """Measure, print a table, write JSON."""
    given = sys.argv[1:] if arguments is None else arguments
    args = _parser().parse_args(given)
    orthanc.check()
    if not args.inside:
        raise SystemExit(orthanc.enter("benchmarks.pacs", [*given, _INSIDE]))
    server_core, client_core = machine.cores()
    with machine.on_core(client_core), TemporaryDirectory() as folder, orthanc.orthanc():
        configuration = Path(folder) / "pacs.toml"
        url = f"http://127.0.0.1:{orthanc.PORT}{orthanc.ROOT}"
        configuration.write_text(f'[archive]\nurl = "{url}"\n', encoding="utf-8")
        os.environ["HEPATICA_PACS"] = str(configuration)
        with serve(args.bundle, server_core) as server:
            found = rows()
            check(server.port, found)
            measure(server.port, found, rounds=args.rounds, seconds=args.seconds, told=_tell)
    print(text(found))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    measured = {"machine": machine.describe(), "seconds": args.seconds, "rows": data(found)}
    args.out.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def rows() -> list[Row]:
    """Store the examples; return what is asked of the service, and of the PACS."""
    image = orthanc.store((EXAMPLES / "slice.dcm").read_bytes())
    seg = orthanc.store((EXAMPLES / "seg.dcm").read_bytes())
    annotation = {"series": seg["series"], "instance": seg["instance"]}
    asked = {
        "image and box": ({**image, "roi": ROI}, [image]),
        "image and SEG": ({**image, "annotation": annotation}, [image, seg]),
    }
    return [
        Row(
            f"/classify by reference, {name}",
            Request(
                "/classify", json.dumps({"pacs": "archive"} | body).encode(), "application/json"
            ),
            [orthanc.wado(file) for file in files],
            concurrency,
        )
        for name, (body, files) in asked.items()
        for concurrency in _CONCURRENCY
    ]


def check(port: int, found: Sequence[Row]) -> None:
    """Raise `RuntimeError` unless the service and the PACS answer what was asked for."""
    for row in found:
        lesions = json.loads(ask(port, row.request))["lesions"]
        if len(lesions) != 1:
            raise RuntimeError(f"{row.name}: found {len(lesions)} lesions, expected one")
        for file in row.files:
            if b"DICM" not in ask(orthanc.PORT, file):
                raise RuntimeError(f"{row.name}: found no DICOM object at the PACS")


def measure(
    port: int, found: Sequence[Row], *, rounds: int, seconds: float, told: Callable[[str], None]
) -> None:
    """Take turns, so that a noisy minute harms all alike."""
    for turn in range(rounds):
        for row in found:
            told(f"round {turn + 1} of {rounds}: {row.name}, {row.concurrency} at once")
            of = {"concurrency": row.concurrency}
            row.pulled.append(
                [load(orthanc.PORT, file, **of, seconds=seconds) for file in row.files]
            )
            row.seen.append(load(port, row.request, **of, seconds=seconds))


def text(found: Sequence[Row]) -> str:
    """Return a table in Markdown."""
    lines = [_HEAD, ("---",) * len(_HEAD), *map(_cells, found)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def data(found: Sequence[Row]) -> list[dict[str, object]]:
    """Return everything as JSON's types, each round by itself."""
    return [
        {
            "request": row.name,
            "concurrency": row.concurrency,
            "p50_over_wado": row.over(),
            "served": [seen._asdict() for seen in row.seen],
            "pulled": [[file._asdict() for file in files] for files in row.pulled],
        }
        for row in found
    ]


def _cells(row: Row) -> tuple[str, ...]:
    over = row.over()
    pulled_ms = [sum(file.p50_ms for file in files) for files in row.pulled]
    return (
        row.name,
        str(row.concurrency),
        f"{median(seen.requests / seen.seconds for seen in row.seen):.1f}",
        f"{median(seen.p50_ms for seen in row.seen):.1f}",
        f"{median(seen.p95_ms for seen in row.seen):.1f}",
        f"{median(pulled_ms):.1f}",
        f"{median(over):.2f}",
        f"{min(over):.2f}-{max(over):.2f}",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pacs", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--out", type=Path, default=Path("build/pacs.json"))
    parser.add_argument(_INSIDE, action="store_true", help=argparse.SUPPRESS)
    return parser


def _tell(progress: str) -> None:
    print(progress, file=sys.stderr)


if __name__ == "__main__":
    main()
