"""What a training loop reports to, and asks where to go on."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable


@runtime_checkable  # tests check every argument's type
class TrainingLog(Protocol):
    """What a training loop reports to."""

    def resume(self, parts: Mapping[str, Any]) -> int:
        """Restore `parts` where there is a checkpoint; return the first epoch."""

    def record(self, epoch: int, losses: Mapping[str, float], parts: Mapping[str, Any]) -> None:
        """Note that `epoch` is over."""


class NoTrainingLog:
    """Reports nothing and keeps nothing: a training of seconds is better begun again."""

    def resume(self, parts: Mapping[str, Any]) -> int:  # noqa: ARG002 - see TrainingLog
        """Begin at the beginning."""
        return 0

    def record(self, epoch: int, losses: Mapping[str, float], parts: Mapping[str, Any]) -> None:
        """Keep nothing."""
