"""Stages of a run: each leaves one file when it is done, whole or not at all.

A stage can be interrupted anywhere and goes on to the same result: it draws its random numbers from
(seed, stage, epoch), so a checkpoint needs no generator state and it does not matter where it was
cut.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress

from lesion import durable
from lesion.errors import RunError

_SECONDS_BETWEEN_CHECKPOINTS = 15.0


@dataclass(slots=True)
class CheckpointedLog:
    """One stage while it runs: its bar on the terminal, its log of losses, its checkpoint.

    The log is `<path>.jsonl`, a line per epoch; the checkpoint `<path>.checkpoint`.
    """

    path: Path
    progress: Progress
    epochs: int
    _saved: float = field(default_factory=time.monotonic)
    _task: Any = None

    def resume(self, parts: Mapping[str, Any]) -> int:
        """Start: restore `parts` from the checkpoint, if there is one; return the first epoch."""
        name = f"{self.path.parent.name} {self.path.name}"
        self._task = self.progress.add_task(name, total=self.epochs, losses="")
        if not self._checkpoint.is_file():
            self._log.unlink(missing_ok=True)
            return 0
        state = load(self._checkpoint)
        for key, part in parts.items():
            part.load_state_dict(state[key])
        return int(state["epoch"])

    def record(self, epoch: int, losses: Mapping[str, float], parts: Mapping[str, Any]) -> None:
        """Note that `epoch` is over, and keep `parts`, though not more often than is worth it."""
        shown = " ".join(f"{key} {value:.3f}" for key, value in losses.items())
        self.progress.update(self._task, completed=epoch, losses=shown)
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"epoch": epoch, **losses}) + "\n")
        if time.monotonic() - self._saved > _SECONDS_BETWEEN_CHECKPOINTS:
            save(
                self._checkpoint,
                {"epoch": epoch, **{key: part.state_dict() for key, part in parts.items()}},
            )
            self._saved = time.monotonic()

    def finish(self, state: Mapping[str, Any]) -> None:
        """Keep the result, then drop the checkpoint: in this order nothing can be lost."""
        save(self.path.with_suffix(".pt"), state)
        _draw_curves(self._log, self.path.with_suffix(".losses.png"))
        self._checkpoint.unlink(missing_ok=True)
        self.progress.remove_task(self._task)

    @property
    def _log(self) -> Path:
        return self.path.with_suffix(".jsonl")

    @property
    def _checkpoint(self) -> Path:
        return self.path.with_suffix(".checkpoint")


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors, whole or not at all."""
    with durable.opened(path) as file:
        torch.save(dict(state), file)


def load(path: Path) -> dict[str, Any]:
    """Read what `save` wrote, onto the CPU; nothing in it is executed."""
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
    return state


def write_json(path: Path, value: object) -> None:
    """Write JSON, whole or not at all."""
    durable.write(path, (json.dumps(value, indent=2) + "\n").encode())


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold a run's folder: two processes in one would overwrite each other's stages.

    Raise `RunError` where another holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR)
    try:
        os.lockf(handle, os.F_TLOCK, 0)
    except OSError as error:
        os.close(handle)
        raise RunError(f"{folder}: another process is training in this folder") from error
    try:
        yield
    finally:
        os.close(handle)


def _draw_curves(log: Path, picture: Path) -> None:
    """Draw a log's losses, where matplotlib is installed: a training machine may lack it."""
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - optional
    except ImportError:
        return
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    by_epoch = {line.pop("epoch"): line for line in lines}  # a resumed run repeats a few
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.add_subplot(xlabel="epoch", ylabel="loss")
    for name in lines[0]:
        axes.plot(list(by_epoch), [line[name] for line in by_epoch.values()], label=name)
    axes.legend()
    figure.savefig(picture, dpi=100)
