"""A cell: one result of the experiments, named by what decides it.

The digest of a cell is a sha256 over its work's name and version, its configuration and the digests
of its inputs. So a changed parameter renames exactly the cells that depend on it; the others are
found where they are.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cached_property
from typing import Any

import numpy as np

#: What a cell is computed from and gives: named arrays, kept as plain `.npy` files.
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of work: `compute(config, inputs) -> Arrays`, a pure function at a module's top level.

    `version` counts up whenever the same configuration no longer gives the same result, since the
    digest does not cover the code. `gpu` work trains networks: it runs on a GPU where there is one.
    """

    name: str
    compute: Callable[[Any, Mapping[str, Arrays]], Arrays]
    version: int = 1
    gpu: bool = False


@dataclass(frozen=True)
class Cell:
    """One result: a work, its configuration (a frozen dataclass), its inputs by role.

    `label` is for people; it names nothing.
    """

    work: Work
    config: Any
    inputs: Mapping[str, "Cell"] = field(default_factory=dict)
    label: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or self.work.name

    @cached_property
    def digest(self) -> str:
        """What decides its result, as 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.described(), sort_keys=True).encode()).hexdigest()

    def described(self) -> dict[str, Any]:
        """Everything that decides the result, as JSON."""
        if not is_dataclass(self.config) or isinstance(self.config, type):
            raise TypeError(f"{self.work.name}: found {self.config!r}, expected a dataclass")
        return {
            "work": self.work.name,
            "version": self.work.version,
            "config": asdict(self.config),
            "inputs": {role: cell.digest for role, cell in self.inputs.items()},
        }

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and self.digest == other.digest


def walk(cells: Iterable[Cell], *, done: Callable[[Cell], bool]) -> Iterator[Cell]:
    """Yield the cells that are not done, and what they need that is not done, each once.

    Depth first: what a cell needs comes right before it. What only finished cells needed is left
    out.
    """
    seen: set[Cell] = set()

    def visit(cell: Cell) -> Iterator[Cell]:
        if cell in seen:
            return
        seen.add(cell)
        if done(cell):
            return
        for needed in cell.inputs.values():
            yield from visit(needed)
        yield cell

    for cell in cells:
        yield from visit(cell)
