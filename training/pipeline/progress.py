"""Progress bars of a terminal: of a network's epochs, and of a stage's tasks."""

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def epoch_bars() -> Progress:
    """Make bars with a name, the time that remains, and the field `losses`."""
    return _bars(TimeRemainingColumn(), "losses")


def task_bars() -> Progress:
    """Make bars with a name, the time that has passed, and the field `left`."""
    return _bars(TimeElapsedColumn(), "left")


def _bars(time: TimeRemainingColumn | TimeElapsedColumn, field: str) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        time,
        TextColumn(f"{{task.fields[{field}]}}"),
    )
