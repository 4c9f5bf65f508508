"""What names a result, and in which order results are asked for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest

from training.pipeline.tasks import Task, TaskKind, topological_order


@dataclass(frozen=True)
class Inner:
    width: int = 2


@dataclass(frozen=True)
class Config:
    seed: int = 1
    name: str = "a"
    sizes: tuple[int, ...] = (1, 2)
    inner: Inner = Inner()
    label: int | None = None


def _nothing(config, inputs):
    return {}


WORK = TaskKind("work", _nothing)
BASE = Task(WORK, Config(), {"role": Task(WORK, Config(seed=9))}, label="base")


def test_the_digest_is_the_sha256_of_all_that_decides():
    identity = (
        '{"config": {"inner": {"width": 2}, "label": null, "name": "a", "seed": 1, "sizes": [1, 2]}'
        ', "inputs": {}, "kind": "work", "version": 1}'
    )
    assert Task(WORK, Config()).digest == hashlib.sha256(identity.encode()).hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        Task(replace(WORK, name="other"), BASE.config, BASE.inputs),
        Task(replace(WORK, version=2), BASE.config, BASE.inputs),
        Task(WORK, Config(seed=2), BASE.inputs),
        Task(WORK, Config(name="b"), BASE.inputs),
        Task(WORK, Config(sizes=(2, 1)), BASE.inputs),
        Task(WORK, Config(inner=Inner(3)), BASE.inputs),
        Task(WORK, Config(label=0), BASE.inputs),
        Task(WORK, BASE.config),
        Task(WORK, BASE.config, {"other": BASE.inputs["role"]}),
        Task(WORK, BASE.config, {"role": Task(WORK, Config(seed=8))}),
        Task(WORK, BASE.config, {"role": Task(replace(WORK, version=2), Config(seed=9))}),
    ],
)
def test_whatever_decides_a_result_renames_it_and_all_that_needs_it(other):
    assert other != BASE
    above = Task(WORK, Config(), {"role": BASE})
    assert replace(above, inputs={"role": other}).digest != above.digest


def test_what_is_for_people_and_where_it_runs_name_nothing():
    for other in (
        replace(BASE, label="other"),
        replace(BASE, kind=replace(WORK, gpu=True)),
    ):
        assert other == BASE
        assert hash(other) == hash(BASE)


@pytest.mark.parametrize("config", [{"seed": 1}, Config, Config(seed=np.int64(1)), None])
def test_a_configuration_that_has_no_one_spelling_is_refused(config):
    with pytest.raises(TypeError):
        _ = Task(WORK, config).digest


def test_what_a_cell_needs_comes_before_it_and_once():
    a = Task(WORK, Config(1))
    b, c = (Task(WORK, Config(seed), {"a": a}) for seed in (2, 3))
    d = Task(WORK, Config(4), {"c": c, "b": b, "a": a})
    assert list(topological_order([d, b, d], done=lambda _: False)) == [a, c, b, d]


class Untouchable(Mapping):
    """Inputs that nobody may ask for."""

    def __getitem__(self, role):
        raise AssertionError

    __iter__ = __len__ = __getitem__


def test_what_only_finished_cells_need_is_not_looked_at():
    done = replace(BASE)
    assert done.digest  # known, as it is in a store; then its inputs count no more
    object.__setattr__(done, "inputs", Untouchable())
    above = Task(WORK, Config(5), {"done": done})
    asked = []

    def is_done(task):
        asked.append(task)
        return task == done

    assert list(topological_order([above, done], done=is_done)) == [above]
    assert asked == [above, done]


def test_the_walk_begins_before_the_plan_ends():
    def plan():
        yield BASE
        raise AssertionError("asked for more than was needed")

    assert next(topological_order(plan(), done=lambda _: False)) == BASE.inputs["role"]
