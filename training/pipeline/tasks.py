"""A task: one result of the experiments, named by what decides it.

The digest of a task is a sha256 over its kind's name and version, its configuration and the digests
of its inputs. So a changed parameter renames exactly the tasks that depend on it; the others are
found where they are.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from functools import cached_property
from typing import Any

import numpy as np

#: What a task is computed from and gives: named arrays, kept as plain `.npy` files.
Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class TaskKind:
    """A kind of work: `compute(config, inputs) -> Arrays`, a pure function at a module's top level.

    `version` counts up whenever the same configuration no longer gives the same result, since the
    digest does not cover the code. `gpu` work trains networks: it runs on a GPU where there is one.
    """

    name: str
    compute: Callable[[Any, Mapping[str, Arrays]], Arrays]
    version: int = 1
    gpu: bool = False


@dataclass(frozen=True)
class Task:
    """One result: a work, its configuration (a frozen dataclass), its inputs by role.

    `label` is for people; it names nothing.
    """

    kind: TaskKind
    config: Any
    inputs: Mapping[str, "Task"] = field(default_factory=dict)
    label: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.label or self.kind.name

    @cached_property
    def digest(self) -> str:
        """What decides its result, as 64 hexadecimal digits."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()

    def identity(self) -> dict[str, Any]:
        """Everything that decides the result, as JSON."""
        if not is_dataclass(self.config) or isinstance(self.config, type):
            raise TypeError(f"{self.kind.name}: found {self.config!r}, expected a dataclass")
        return {
            "kind": self.kind.name,
            "version": self.kind.version,
            "config": asdict(self.config),
            "inputs": {role: task.digest for role, task in self.inputs.items()},
        }

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self.digest == other.digest


def topological_order(tasks: Iterable[Task], *, done: Callable[[Task], bool]) -> Iterator[Task]:
    """Yield the tasks that are not done, and what they need that is not done, each once.

    Depth first: what a task needs comes right before it. What only finished tasks needed is left
    out.
    """
    seen: set[Task] = set()

    def visit(task: Task) -> Iterator[Task]:
        if task in seen:
            return
        seen.add(task)
        if done(task):
            return
        for needed in task.inputs.values():
            yield from visit(needed)
        yield task

    for task in tasks:
        yield from visit(task)
