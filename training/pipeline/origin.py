"""How a result was made: on another device, or by another torch, its last digits may differ."""

import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

#: What is said of a result whose card is older than such notes.
NOT_RECORDED = "not recorded"

_LINUX_CPUS = Path("/proc/cpuinfo")


class Origin(NamedTuple):
    """How long a result took, and the processor or GPU and the package of torch that made it.

    It names nothing: a result of another machine counts as the same.
    """

    seconds: float
    device: str | None = None
    torch: str | None = None


def origin_here(seconds: float, *, gpu: bool) -> Origin:
    """Say what was made on this machine, on its GPU where it has one and `gpu` work was done."""
    return Origin(round(seconds, 3), (gpu and _gpu()) or _processor(), version("torch"))


def _gpu() -> str | None:
    import torch  # noqa: PLC0415 - it takes seconds, and a light worker needs none

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


@cache
def _processor() -> str:
    """Return the model that Linux tells; elsewhere, and where it tells none, the architecture."""
    told = _LINUX_CPUS.read_text(encoding="utf-8") if _LINUX_CPUS.is_file() else ""
    models = [
        line.partition(":")[2].strip()
        for line in told.splitlines()
        if line.startswith("model name")
    ]
    return f"cpu: {models[0] if models else platform.machine()}"
