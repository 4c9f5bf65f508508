"""`python -m benchmarks.overload`: what probes see while a thousand connections want an answer.

Each connection posts half a megabyte for a classification, and again as soon as it is answered or
refused. Meanwhile probes ask /livez on the port of the requests and on the one for probes.
"""

import argparse
import asyncio
import resource
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from socket import create_server
from threading import Event, Thread
from urllib.error import URLError
from urllib.request import urlopen

import uvloop

from benchmarks import machine
from benchmarks.client import HOST, Request, encoded
from benchmarks.sample import percentiles_ms
from benchmarks.server import serve

EXAMPLE = Path(__file__).parents[1] / "examples" / "slice.dcm"
ROI = "216,268,241,293"
#: A connection that is lost is made anew after this.
_AGAIN_S = 0.1
_TIMEOUT_S = 120.0


def main(arguments: list[str] | None = None) -> None:
    """Measure, and print a table."""
    args = _parser().parse_args(arguments)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server_core, client_core = machine.cores()
    request = Request(f"/classify?roi={ROI}", EXAMPLE.read_bytes(), "application/dicom")
    with create_server((HOST, 0)) as free:
        probe_port = free.getsockname()[1]
    with (
        machine.on_core(client_core),
        serve(args.bundle, server_core, probe_port=probe_port) as server,
    ):
        ports = {"of requests": server.port, "of probes": probe_port}
        print("| /livez on the port | at once | p50 ms | p95 ms | max ms | no answer |")
        print("|---|---|---|---|---|---|")
        for connections in (0, args.connections):
            probed, answers = measure(server.port, ports, request, connections, args.seconds)
            for name, seen in probed.items():
                print(f"| {name} | {connections} | {_row(seen)} |", flush=True)
        print(f"\nanswers: {dict(sorted(answers.items()))} in {args.seconds:g} s")


def measure(
    port: int, ports: dict[str, int], request: Request, connections: int, seconds: float
) -> tuple[dict[str, list[float | None]], Counter[str]]:
    """Load a port for that long; return each probe's seconds (None: no answer), and the answers."""
    probed: dict[str, list[float | None]] = {name: [] for name in ports}
    ending = Event()
    probers = [Thread(target=_probe, args=(at, probed[name], ending)) for name, at in ports.items()]
    for prober in probers:
        prober.start()
    try:
        return probed, uvloop.run(_overload(port, encoded(request), connections, seconds))
    finally:
        ending.set()
        for prober in probers:
            prober.join()


def _probe(port: int, seen: list[float | None], ending: Event) -> None:
    while not ending.wait(0.1):
        began = time.perf_counter()
        try:
            with urlopen(f"http://{HOST}:{port}/livez", timeout=_TIMEOUT_S):
                seen.append(time.perf_counter() - began)
        except (URLError, OSError):
            seen.append(None)


async def _overload(port: int, request: bytes, connections: int, seconds: float) -> Counter[str]:
    answers: Counter[str] = Counter()
    until = time.monotonic() + seconds
    asking = [asyncio.create_task(_ask(port, request, answers)) for _ in range(connections)]
    await asyncio.sleep(until - time.monotonic())
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    return answers


async def _ask(port: int, request: bytes, answers: Counter[str]) -> None:
    """Ask for ever, over one connection after another; count statuses, and what was lost."""
    while True:
        try:
            reader, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            answers["refused"] += 1
            await asyncio.sleep(_AGAIN_S)
            continue
        try:
            while not reader.at_eof():
                answers[await _exchange(reader, writer, request)] += 1
        except (OSError, EOFError):
            answers["lost"] += 1
            await asyncio.sleep(_AGAIN_S)
        finally:
            writer.transport.abort()


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> str:
    """Send a request while its answer may come already; return the status of the answer."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    size = head.partition(b"content-length:")[2].split(b"\r\n")[0]
    await reader.readexactly(int(size))
    if b"\nconnection: close" in head:
        reader.feed_eof()
    else:
        await writer.drain()
    return head.split()[1].decode()


def _row(seen: Sequence[float | None]) -> str:
    answered = [seconds for seconds in seen if seconds is not None]
    if not answered:
        return f"- | - | - | {len(seen)}"
    p50_ms, p95_ms = percentiles_ms(answered)
    worst_ms = 1000 * max(answered)
    return f"{p50_ms:.1f} | {p95_ms:.1f} | {worst_ms:.1f} | {len(seen) - len(answered)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overload", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"))
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20.0)
    return parser


if __name__ == "__main__":
    main()
