"""Tiny works that note which process did them; light, for every worker imports it anew."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.pipeline.tasks import Task, TaskKind


@dataclass(frozen=True)
class Step:
    """What a tiny task does besides its sum: it waits `seconds`, for a `friend` to begin, or ends.

    It leaves the file `name.pid` in `folder`, before it does anything.
    """

    name: str
    folder: str
    seconds: float = 0.0
    friend: str = ""
    ends: str = ""


def _sum(config, inputs):
    folder = Path(config.folder)
    (folder / f"{config.name}.{os.getpid()}").touch()
    time.sleep(config.seconds)
    patience = time.monotonic() + 60
    while config.friend and not list(folder.glob(f"{config.friend}.*")):
        assert time.monotonic() < patience, "it is alone"
        time.sleep(0.01)
    if config.ends == "raises":
        raise ValueError("no such thing")
    if config.ends == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    noise = np.random.default_rng(len(config.name)).normal(size=40_000)
    return {"noise": noise, "sum": noise + sum(arrays["sum"] for arrays in inputs.values())}


SUM = TaskKind("sum", _sum)


@dataclass(frozen=True)
class Workshop:
    """Makes tiny tasks, and tells which processes began them."""

    folder: Path

    def task(self, name: str, *needed: Task, kind: TaskKind = SUM, **more) -> Task:
        inputs = {f"input-{index}": task for index, task in enumerate(needed)}
        return Task(kind, Step(name, str(self.folder), **more), inputs, label=f"task {name}")

    def began(self, name: str = "*") -> list[int]:
        """The processes that began the task, or any."""
        return sorted(int(path.suffix[1:]) for path in self.folder.glob(f"{name}.*"))

    def wait(self, name: str, times: int = 1) -> list[int]:
        patience = time.monotonic() + 60
        while len(self.began(name)) < times:
            assert time.monotonic() < patience, f"{name} does not begin"
            time.sleep(0.01)
        return self.began(name)
