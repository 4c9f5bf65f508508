"""The service as operators start it, in processes of its own, on one core."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ
from pathlib import Path
from socket import create_server
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psutil

from benchmarks.client import HOST, Request, ask
from benchmarks.machine import on_core

_ROOT = Path(__file__).parents[1]
#: How operators start the service: in one process, or as a bento.
SERVICE = (sys.executable, "-m", "service")
BENTO = (str(Path(sys.executable).with_name("bentoml")), "serve", "service.bento:Hepatica")

_PATIENCE_S = 120
_POLL_S = 0.01


class Memory(NamedTuple):
    """Megabytes (MiB) of a server's processes that are in memory.

    `resident` counts a page that several of them share once, as a container's limit does; `summed`
    counts it for each of them.
    """

    resident: float
    summed: float


class Start(NamedTuple):
    """What passed from the command to the first answer of ready: by the clock, and of its core."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Server:
    """A ready server."""

    port: int
    process: psutil.Popen
    start: Start

    def cpu_seconds(self) -> float:
        """Return what its processes have used of a core since they were started."""
        return _cpu_seconds(self.process)

    def memory_mb(self) -> Memory:
        """Return what its processes hold now."""
        held = [process.memory_full_info() for process in _family(self.process)]
        return Memory(
            sum(process.pss for process in held) / 2**20,
            sum(process.rss for process in held) / 2**20,
        )


def _cpu_seconds(process: psutil.Process) -> float:
    # The clocks that clock_getcpuclockid(3) names: of nanoseconds, where /proc has hundredths.
    return sum(time.clock_gettime((~each.pid << 3) | 2) for each in _family(process))


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


@contextmanager
def serve(
    bundle: Path, core: int, *, command: Sequence[str] = SERVICE, **settings: object
) -> Iterator[Server]:
    """Start the service on a free port, with settings by their names; stop it in the end."""
    with create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    environment = {"HEPATICA_BUNDLE": str(bundle.resolve())}
    environment |= {f"HEPATICA_{name.upper()}": str(value) for name, value in settings.items()}
    with TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        with on_core(core):
            began = time.perf_counter()
            process = psutil.Popen(
                [*command, "--host", HOST, "--port", str(port)],
                env=environ | environment,
                cwd=_ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            _await_ready(port, process, log.name)
            seconds = time.perf_counter() - began
            yield Server(port, process, Start(seconds, _cpu_seconds(process)))
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


def _await_ready(port: int, process: psutil.Popen, log: str) -> None:
    until = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < until:
        try:
            ask(port, Request("/readyz"))
        except OSError:  # no socket yet, or 503
            time.sleep(_POLL_S)
        else:
            return
    raise RuntimeError(f"server: found it never ready:\n{Path(log).read_text(encoding='utf-8')}")
