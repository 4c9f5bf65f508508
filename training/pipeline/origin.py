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

    And the `precision` that networks were trained in, where they were. It names nothing: a result
    of another machine counts as the same.
    """

    seconds: float
    device: str | None = None
    torch: str | None = None
    precision: str | None = None


def origin_here(seconds: float, *, gpu: bool) -> Origin:
    """Say what was made on this machine, on its GPU where it has one and `gpu` work was done."""
    seconds, made_by = round(seconds, 3), version("torch")
    if not gpu:
        return Origin(seconds, _processor(), made_by)
    # They import torch, which takes seconds, and a light worker needs none.
    from training.networks import devices  # noqa: PLC0415

    device = devices.best_device()
    return Origin(
        seconds, devices.name_of(device) or _processor(), made_by, devices.precision(device)
    )


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
