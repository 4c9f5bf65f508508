"""The same cells on Ray: here on a local one with two workers, of which one is killed."""

import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial

import psutil
import pytest

from lesion.errors import RunError
from training.pipeline import ray_scheduler as cluster
from training.pipeline import scheduler as engine
from training.pipeline.artifacts import Store

OBJECT_STORE = 100 * 2**20


@pytest.fixture(scope="module")
def compute(own_environment):
    os.environ["RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES"] = str(OBJECT_STORE)
    with cluster.joined(cluster.HERE, workers=2) as started:
        yield partial(started, deadline=None)
    assert not [one for one in psutil.Process().children(recursive=True) if "ray" in one.name()]


def plan(workshop):
    """Two cells that wait for each other, so two workers; one of them takes long; three on top."""
    a = workshop.cell("a", friend="victim")
    victim = workshop.cell("victim", friend="a", seconds=2.0)
    c = workshop.cell("c", a, victim)
    return [victim, a, c, workshop.cell("d", c), workshop.cell("e", a)]


def test_a_worker_is_killed_and_nothing_is_lost(compute, workshop, store, files, tmp_path):
    killed = []

    def kill_once(cell):
        if not killed:
            killed.extend(workshop.wait("victim"))
            os.kill(killed[0], signal.SIGKILL)

    done = []
    compute(plan(workshop), store, on_done=lambda cell: (done.append(cell), kill_once(cell)))
    names = [cell.config.name for cell in done]
    assert sorted(names) == ["a", "c", "d", "e", "victim"]
    assert len(workshop.began("victim")) == 2  # begun again
    assert len(workshop.began("a")) == 1
    assert os.getpid() not in workshop.began()
    assert not psutil.pid_exists(killed[0])

    alone = Store(tmp_path / "alone")
    engine.local(plan(workshop), alone, on_done=lambda _: None, deadline=None, workers=2)
    assert files(store) == files(alone)
    assert len(files(store)) == 2 * len(names)


def test_only_what_is_missing_is_computed_from_the_store(compute, workshop, store):
    base = workshop.cell("base")
    engine.compute(base, store)
    done = []
    compute([base, workshop.cell("next", base)], store, on_done=done.append)
    assert [cell.config.name for cell in done] == ["next"]
    assert len(workshop.began("base")) == 1
    assert store.load(done[0])["sum"][0] == pytest.approx(2 * store.load(base)["sum"][0])
    assert store.made(done[0])[1:] == store.made(base)[1:]  # the same machine made both
    assert store.made(base).device


def test_a_cell_that_fails_is_named(compute, workshop, store):
    bad = workshop.cell("bad", ends="raises")
    with pytest.raises(RunError, match=r"^cell bad: ValueError: no such thing$"):
        compute([bad, workshop.cell("above", bad)], store, on_done=lambda _: None)


def test_nothing_is_begun_after_the_deadline_and_what_runs_is_finished(compute, workshop, store):
    awake = [workshop.cell("one", friend="two"), workshop.cell("two", friend="one")]
    compute(awake, store, on_done=lambda _: None)
    begun = workshop.cell("begun", seconds=2.0)
    above = [workshop.cell("above", begun), workshop.cell("top", begun)]
    compute(above, store, on_done=lambda _: None, deadline=time.monotonic() + 1.0)
    assert store.has(begun)
    assert not workshop.began("above")
    assert not workshop.began("top")


def test_a_cell_whose_workers_all_die_is_named(compute, workshop, store, monkeypatch):
    monkeypatch.setattr(cluster, "_RETRIES", 1)  # a new worker takes seconds
    with pytest.raises(RunError, match=r"^cell bad: WorkerCrashedError"):
        compute([workshop.cell("bad", ends="dies")], store, on_done=lambda _: None)
    assert len(workshop.began("bad")) == 2


def test_only_this_machine_can_reach_it(compute):
    me = psutil.Process()
    heard = set()
    for process in [me, *me.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            heard |= {
                socket.laddr.ip.removeprefix("::ffff:")
                for socket in process.net_connections("inet")
                if socket.status == psutil.CONN_LISTEN
            }
    assert heard == {"127.0.0.1"}


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with (
        pytest.raises(RunError, match=r"pip install 'hepatica\[ray\]'"),
        cluster.joined("head:6379", workers=1),
    ):
        pass


def test_a_machine_with_other_code_refuses(workshop):
    cell = workshop.cell("a")
    with pytest.raises(RunError, match="another version"):
        cluster._work(cell.work, cell.config, (), None, "0" * 64)
    arrays, _ = cluster._work(cell.work, cell.config, (), None, cluster._code())
    assert sorted(arrays) == ["noise", "sum"]
