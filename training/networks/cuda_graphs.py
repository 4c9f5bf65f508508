"""Training steps without Python's overhead: on a GPU, each is one CUDA graph.

At 64x64 and 64 images a batch the GPU computes a step faster than Python can launch its kernels. A
step is therefore captured once and replayed; on a CPU the same function just runs. What is here is
what a step needs so that it asks nothing of Python: its next batch, a learning rate that changes,
optimizers that live on the device. Such a step must not wait for the device (no `.item()`, no
choice by a tensor's value) nor copy from the host, and all that outlives it stays where it is in
memory (PyTorch's documentation, "CUDA semantics", CUDA graphs).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

#: Steps of each batch size that run before it is captured, for what is set up when it is first
#: used. They are steps like any other, so a run that captures and one that does not do the same.
WARM_UP = 3


class BatchSampler:
    """The order of a training set of `size` images in an epoch, and the place in it."""

    def __init__(self, size: int, device: torch.device) -> None:
        self._order = torch.arange(size, device=device)
        self._offsets = torch.arange(size, device=device)
        self._dealt = torch.zeros(1, dtype=torch.int64, device=device)

    def shuffle(self) -> None:
        """Begin an epoch."""
        self._order.copy_(torch.randperm(len(self._order), device=self._order.device))
        self._dealt.zero_()

    def next_batch(self, count: int) -> Int64[Tensor, " count"]:
        """Return the next `count` images' indices."""
        batch = self._order[self._dealt + self._offsets[:count]]
        self._dealt += count
        return batch


class CapturedStep:
    """Runs `step`, a function of the number of images in a batch, over and over."""

    def __init__(self, step: Callable[[int], None], device: torch.device) -> None:
        self._step = step
        self._stream = _stream(device) if device.type == "cuda" else None
        self._warm: Counter[int] = Counter()
        self._graphs: dict[int, torch.cuda.CUDAGraph] = {}

    def run(self, counts: Iterable[int]) -> None:
        """Take a step for each of `counts`. The host goes on before the device has finished."""
        if self._stream is None:
            for count in counts:
                self._step(count)
            return
        outside = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(outside)
        with torch.cuda.stream(self._stream):
            for count in counts:
                self._launch(count)
        outside.wait_stream(self._stream)

    def _launch(self, count: int) -> None:
        if count not in self._graphs:
            if self._warm[count] < WARM_UP:
                self._warm[count] += 1
                self._step(count)
                return
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph, stream=self._stream):
                self._step(count)  # only noted down: the replay below is what computes it
            self._graphs[count] = graph
        self._graphs[count].replay()


@cache
def _stream(device: torch.device) -> torch.cuda.Stream:
    """Return the one stream of all steps, captured or not.

    The default stream cannot be captured, and automatic differentiation does not go well with
    warm-up on one stream and capture on another.
    """
    return torch.cuda.Stream(device)


class Nesterov:
    """Stochastic gradient descent with Nesterov's momentum, each step with rates of its own.

    It computes what `torch.optim.SGD` does (Sutskever et al. 2013's form), but learning rate and
    momentum are a table on the device, where a captured step finds them.
    """

    def __init__(
        self, network: nn.Module, rates: Float[Tensor, "steps 2"], *, weight_decay: float
    ) -> None:
        self._weights: list[Tensor] = list(network.parameters())
        self._velocity = [torch.zeros_like(weight) for weight in self._weights]
        self._rates = rates
        self._done = torch.zeros(1, dtype=torch.int64, device=rates.device)
        self._weight_decay = weight_decay

    @torch.no_grad()
    def step(self) -> None:
        """Move the weights against their gradients, which serve as memory on the way."""
        rate, momentum = self._rates[self._done].squeeze(0).unbind()
        self._done += 1
        ahead = [weight.grad for weight in self._weights if weight.grad is not None]
        if self._weight_decay:
            torch._foreach_add_(ahead, self._weights, alpha=self._weight_decay)
        torch._foreach_mul_(self._velocity, momentum)
        torch._foreach_add_(self._velocity, ahead)
        _add_multiple(ahead, momentum, self._velocity)
        _add_multiple(self._weights, -rate, ahead)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"velocity": self._velocity, "done": self._done}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        for mine, saved in zip(self._velocity, state["velocity"], strict=True):
            mine.copy_(saved)
        self._done.copy_(state["done"])


def make_adam(network: nn.Module, *, rate: float, beta1: float) -> torch.optim.Adam:
    """Make Adam (Kingma and Ba 2015) for a network: on a GPU, one kernel that can be captured."""
    on_gpu = next(network.parameters()).is_cuda
    return torch.optim.Adam(
        network.parameters(),
        lr=rate,
        betas=(beta1, 0.999),
        fused=on_gpu or None,  # None, not False: what PyTorch thinks best
        capturable=on_gpu,
    )


@torch.no_grad()
def ema_update(average: nn.Module, network: nn.Module, *, decay: float) -> None:
    """Move an exponential moving average of a network's weights towards them."""
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)


def _add_multiple(to: list[Tensor], factor: Tensor, these: list[Tensor]) -> None:
    """Add `factor` times each of `these`: on a GPU for all at once, two kernels instead of ten."""
    if factor.is_cuda:
        torch._foreach_add_(to, torch._foreach_mul(these, factor))
        return
    for one, other in zip(to, these, strict=True):
        one.addcmul_(other, factor)
