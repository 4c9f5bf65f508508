"""`python -m benchmarks.training`: how fast networks are trained, held against two floors.

A step is no faster than its arithmetic at the device's best rate, which a large product of matrices
measures, and on a GPU no faster than its kernels can start one after another, which a graph of
kernels that do next to nothing measures. On a GPU each training also runs without CUDA graphs.
"""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import perf_counter
from unittest.mock import patch

import torch
from torch.autograd import DeviceType  # type: ignore[attr-defined] # not in its __all__
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from training.data.datasets import Labelled
from training.networks import classifier, cuda_graphs, devices
from training.networks.generators import KINDS, kind_of
from training.networks.training_log import NoTrainingLog, TrainingLog
from training.phantom.classes import CLASSES
from training.settings import CnnSettings, GanSettings

_BATCH = 64
_FEW = 4  # steps of an epoch whose operations are counted
_HEAD = (
    *("network", "steps/s", "eager steps/s", "over eager", "ms a step", "GFLOP a step"),
    *("arithmetic floor ms", "kernels a step", "launch floor ms", "of the higher floor"),
)

Train = Callable[[int, TrainingLog], object]


class Clock(NoTrainingLog):
    """A log that notes when each epoch ends: by then the device has finished it."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def record(self, *_: object) -> None:
        """Note the time."""
        self.ends.append(perf_counter())


@dataclass(frozen=True, slots=True)
class Row:
    """One network: seconds a step in each round, its arithmetic, its kernels (none on a CPU)."""

    network: str
    flop: float
    kernels: float
    captured: list[float] = field(default_factory=list)
    eager: list[float] = field(default_factory=list)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print a table, write JSON."""
    args = _parser().parse_args(arguments)
    device = devices.select_device()
    on_gpu = device.type == "cuda"
    steps = args.steps or (200 if on_gpu else 2)
    few = _trains(_data(_FEW, device), args.width)
    trains = {
        name: train
        for name, train in _trains(_data(steps, device), args.width).items()
        if args.only in name
    }
    rows = {}
    for name in trains:
        print(name, file=sys.stderr)
        kernels = _of_one_step(_kernels, few[name]) if on_gpu else 0.0
        rows[name] = Row(name, _of_one_step(_flop, few[name]), kernels)
    for _ in range(args.rounds):  # in turns, so that a noisy minute harms all alike
        for name, train in trains.items():
            rows[name].captured.append(_seconds(train) / steps)
            if on_gpu:
                with _eager():
                    rows[name].eager.append(_seconds(train) / steps)
    peak, launch = _peak(device), _launch(device) if on_gpu else 0.0
    print(_text(list(rows.values()), peak=peak, launch=launch))
    measured = {
        "device": torch.cuda.get_device_name(device) if on_gpu else "cpu",
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "peak_flop_per_second": peak,
        "launch_seconds": launch,
        "rows": [{"network": r.network, "flop": r.flop, "kernels": r.kernels,
                  "seconds": r.captured, "eager_seconds": r.eager} for r in rows.values()],
    }  # fmt: skip
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--only", default="", metavar="TEXT", help="networks with this in the name")
    parser.add_argument("--steps", type=int, help="of an epoch; default: 200, and 2 on a CPU")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--width", type=int, default=1024, help="of a generator; 1024: the paper's")
    parser.add_argument("--out", type=Path, default=Path("build/training.json"))
    return parser


def _data(steps: int, device: torch.device) -> Labelled:
    images = torch.rand(steps * _BATCH, 64, 64, device=device)
    labels = torch.arange(len(images), device=device) % len(CLASSES)
    return Labelled(images, labels, len(CLASSES))


def _trains(data: Labelled, width: int) -> dict[str, Train]:
    """Return each network's training, in the paper's form, as a function of its epochs."""

    def train_gan(kind: str, epochs: int, log: TrainingLog) -> object:
        settings = GanSettings(
            kind=kind, width=width, discriminator_width=width // 16, epochs=epochs
        )
        return kind_of(settings).train(data, settings, seed=0, log=log)

    return {
        "CNN": lambda epochs, log: classifier.train(
            data, CnnSettings(epochs=epochs), seed=0, log=log
        ),
        **{kind.title: partial(train_gan, name) for name, kind in KINDS.items()},
    }


def _eager() -> AbstractContextManager[object]:
    """Train without CUDA graphs: the warm-up never ends."""
    return patch.object(cuda_graphs, "WARM_UP", sys.maxsize)


def _seconds(train: Train) -> float:
    """Time an epoch: the median of some, but for the first, which warms up."""
    clock = Clock()
    train(5, clock)
    return median(after - before for before, after in pairwise(clock.ends))


def _of_one_step(count: Callable[[Train, int], float], train: Train) -> float:
    """Count something of a step: what a second epoch adds, without what comes before and after."""
    with _eager():
        return (count(train, 2) - count(train, 1)) / _FEW


def _flop(train: Train, epochs: int) -> float:
    with FlopCounterMode(display=False) as counter:
        train(epochs, NoTrainingLog())
    return float(counter.get_total_flops())


def _kernels(train: Train, epochs: int) -> float:
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        train(epochs, NoTrainingLog())
        torch.cuda.synchronize()
    events = [event for event in profiler.events() or () if not event.is_user_annotation]
    return float(sum(event.device_type == DeviceType.CUDA for event in events))


def _peak(device: torch.device) -> float:
    """Return the most operations a second of a large product in bfloat16."""
    side = 8192 if device.type == "cuda" else 1024
    one, other = torch.randn(2, side, side, device=device, dtype=torch.bfloat16)
    return 2.0 * side**3 / _best(lambda: one @ other, device)


def _launch(device: torch.device) -> float:
    """Return the seconds that a kernel with next to nothing to do takes within a graph."""
    count, number = 1000, torch.zeros(1, device=device)
    graph = torch.cuda.CUDAGraph()
    number.add_(1)
    with torch.cuda.graph(graph):
        for _ in range(count):
            number.add_(1)
    return _best(graph.replay, device) / count


def _best(call: Callable[[], object], device: torch.device) -> float:
    """Time the fastest of some calls."""

    def finished() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return perf_counter()

    call()
    times = []
    for _ in range(20):
        start = finished()
        call()
        times.append(finished() - start)
    return min(times)


def _text(rows: list[Row], *, peak: float, launch: float) -> str:
    lines = [_HEAD, ("---",) * len(_HEAD), *(_cells(row, peak=peak, launch=launch) for row in rows)]
    table = ["| " + " | ".join(cells) + " |" for cells in lines]
    return "\n".join([*table, "", f"- bfloat16: {peak / 1e12:.1f} TFLOP/s; empty kernel: "
                      f"{launch * 1e6:.2f} us"])  # fmt: skip


def _cells(row: Row, *, peak: float, launch: float) -> tuple[str, ...]:
    step, arithmetic, launches = median(row.captured), row.flop / peak, row.kernels * launch
    eager = median(row.eager) if row.eager else None
    return (
        row.network,
        f"{1 / step:.1f}",
        f"{1 / eager:.1f}" if eager else "-",
        f"{eager / step:.2f}" if eager else "-",
        f"{1000 * step:.3f}",
        f"{row.flop / 1e9:.1f}",
        f"{1000 * arithmetic:.3f}",
        f"{row.kernels:.0f}" if row.kernels else "-",
        f"{1000 * launches:.3f}" if row.kernels else "-",
        f"{max(arithmetic, launches) / step:.0%}",
    )


if __name__ == "__main__":
    main()
