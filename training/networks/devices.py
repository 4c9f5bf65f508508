"""Where networks run, and how fast."""

import os
from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def select_device() -> torch.device:
    """Choose the GPU where there is one, and make its results repeatable."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    # What deterministic cuBLAS asks for, before its first call.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    # It would fill every tensor before its use: a second kernel for many a small one.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined] # made at run time
    torch.backends.cuda.matmul.fp32_precision = "tf32"  # as convolutions have it by default
    return torch.device("cuda")


def to_device(network: Network, device: torch.device) -> Network:
    """Move a network to its device, channels last: convolutions run up to twice as fast so."""
    return network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload] # stubs lack the pair


def autocast(device: torch.device, *, enabled: bool) -> AbstractContextManager[None]:
    """Compute convolutions and products in bfloat16 where that is asked for.

    Weights stay float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)
