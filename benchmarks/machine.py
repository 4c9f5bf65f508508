"""The machine that measures: its cores, and what to know of it beside a figure."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("hepatica", "bentoml", "starlette", "uvicorn", "uvloop", "onnxruntime", "numpy")


def cores() -> tuple[int, int]:
    """Return a core for the server and one for its clients.

    The first and the last that this process may use: on common machines they share no hardware
    thread.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("cores: found 1, expected 2: one for the server, one for its clients")
    return allowed[-1], allowed[0]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this thread, and every process that it starts meanwhile, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def describe() -> dict[str, object]:
    """Say what was measured on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in _PACKAGES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
