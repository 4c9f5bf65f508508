"""Reports on disk until the target has confirmed them, and what became of each annotation.

- reports/KEY: the objects that were made of an annotation, and wait to be delivered
- trying/KEY: how often its classification was begun; what ends the process is not tried for ever
- done/KEY: its report was confirmed: the annotation makes no second one
- refused/KEY: why there is none

KEY is the hash of the annotation's SOP Instance UID; nothing but a report holds a patient's data.
"""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from service.dimse import files
from service.report.objects import Made

logger = logging.getLogger(__name__)

FOLDERS = ("reports", "trying", "done", "refused")


class Outbox:
    """The folders, and the names of what is in them. One thread at a time changes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # name -> when it was written, in seconds of the clock; the first written stands first
        self._there = {name: self._listed(name) for name in FOLDERS}
        self._sizes = {
            key: (self._folder / "reports" / key).stat().st_size for key in self._there["reports"]
        }
        for key in self._there["done"]:  # moved there, and then the process ended
            files.empty(self._folder / "done" / key)

    def reported(self, key: str) -> bool:
        """Tell whether an annotation has its report, delivered or not."""
        return key in self._there["done"] or key in self._there["reports"]

    def confirmed(self, key: str) -> bool:
        """Tell whether the report of an annotation was confirmed."""
        return key in self._there["done"]

    def waiting(self) -> dict[str, float]:
        """Return the keys of the reports to deliver, and when each was made."""
        return dict(self._there["reports"])

    def report_bytes(self) -> int:
        """Return how many bytes the reports to deliver take."""
        return sum(list(self._sizes.values()))

    def full(self, *, most: int, most_bytes: int) -> bool:
        """Tell whether there are so many reports to deliver that no further one is to be made."""
        return len(self._sizes) >= most or self.report_bytes() >= most_bytes

    def begin(self, key: str) -> int:
        """Remember that an annotation is about to be classified; return how often it was so."""
        path = self._folder / "trying" / key
        times = 0
        with suppress(OSError, ValueError, KeyError, TypeError):
            times = int(files.read_head(path)["times"])
        self._write("trying", key, {"times": times + 1})
        return times

    def ended(self, key: str) -> None:
        """Forget that it was begun: the process lives."""
        self._remove("trying", key)

    def add(self, key: str, objects: Sequence[Made]) -> None:
        """Keep the report of an annotation until it is confirmed."""
        told = [{**made._asdict(), "data": len(made.data)} for made in objects]
        parts = (made.data for made in objects)
        self._sizes[key] = self._write("reports", key, {"objects": told}, *parts)

    def read(self, key: str) -> list[Made]:
        """Return the objects of a report. Raise `OSError` or `ValueError` where they are lost."""
        path = self._folder / "reports" / key
        body, objects = files.read_body(path), []
        for told in files.read_head(path)["objects"]:
            size = int(told.pop("data"))
            objects.append(Made(**told, data=body[:size]))
            body = body[size:]
        return objects

    def confirm(self, key: str) -> None:
        """Remember that a report arrived, and let go of it; a full disk has room for that."""
        files.move(self._folder / "reports" / key, self._folder / "done" / key)
        del self._there["reports"][key], self._sizes[key]
        self._there["done"][key] = time.time()
        files.empty(self._folder / "done" / key)

    def drop(self, key: str) -> None:
        """Let go of a report that nobody took."""
        self._remove("reports", key)
        self._sizes.pop(key, None)

    def refuse(self, key: str, problem: str) -> None:
        """Remember why an annotation has no report."""
        self._write("refused", key, {"problem": problem})

    def tidy(self, *, before: float, most: int) -> None:
        """Forget what became of annotations before a moment, or of more than so many."""
        for folder in ("trying", "done", "refused"):
            there = self._there[folder]
            surplus = len(there) - most
            old = [
                key for at, (key, when) in enumerate(there.items()) if at < surplus or when < before
            ]
            for key in old:
                self._remove(folder, key)

    def _listed(self, folder: str) -> dict[str, float]:
        path = self._folder / folder
        times = {name: (path / name).stat().st_mtime for name in files.names(path)}
        return dict(sorted(times.items(), key=lambda item: item[1]))

    def _write(self, folder: str, key: str, head: dict[str, Any], *parts: bytes) -> int:
        size = files.write(self._folder / folder / key, head, *parts)
        self._there[folder].pop(key, None)
        self._there[folder][key] = time.time()
        return size

    def _remove(self, folder: str, key: str) -> None:
        files.remove(self._folder / folder / key)
        self._there[folder].pop(key, None)
