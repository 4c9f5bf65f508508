"""Where networks run, and how fast."""

import os
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)

_LINUX_CPUS = Path("/proc/cpuinfo")


def best_device() -> torch.device:
    """Return the GPU where there is one, else the processor."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def select_device() -> torch.device:
    """Choose the GPU where there is one, and make its results repeatable."""
    device = best_device()
    if device.type == "cpu":
        return device
    # What deterministic cuBLAS asks for, before its first call.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # It would fill every tensor before its use: a second kernel for many a small one.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # made at run time
    torch.backends.cuda.matmul.fp32_precision = "tf32"  # as convolutions have it by default
    return device


def to_device(network: Network, device: torch.device) -> Network:
    """Move a network to its device, channels last: convolutions run up to twice as fast so."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload] # stubs lack the pair


def autocast(device: torch.device, *, enabled: bool) -> AbstractContextManager[None]:
    """Compute convolutions and products in bfloat16 where that is `enabled` and the device has it.

    Weights stay float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled and has_bfloat16(device))


@cache
def has_bfloat16(device: torch.device) -> bool:
    """Tell whether a device computes in bfloat16 itself; emulated, it is far slower than float32.

    Of processors Linux tells: AVX512-BF16 or AMX on x86, `bf16` on ARM.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    told = _LINUX_CPUS.read_text(encoding="utf-8") if _LINUX_CPUS.is_file() else ""
    flags = {flag for line in told.splitlines() for flag in line.partition(":")[2].split()}
    return not flags.isdisjoint({"avx512_bf16", "amx_bf16", "bf16"})


def name_of(device: torch.device) -> str | None:
    """Return a GPU's name; of a processor torch knows none."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else None


def precision(device: torch.device) -> str:
    """Name what networks are trained in on a device, for a run's record."""
    return "bfloat16" if has_bfloat16(device) else "float32"
