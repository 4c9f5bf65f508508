"""The same tasks on Ray: here on a local one with two workers, of which one is killed."""

import os
import signal
import sys
import time
from contextlib import suppress
from functools import partial

import psutil
import pytest

from lesion.errors import RunError
from training.pipeline import ray_scheduler, scheduler
from training.pipeline.artifacts import ArtifactStore

OBJECT_STORE = 100 * 2**20


@pytest.fixture(scope="module")
def compute(own_environment):
    os.environ["RAY_DEFAULT_OBJECT_STORE_MAX_MEMORY_BYTES"] = str(OBJECT_STORE)
    with ray_scheduler.ray_cluster(ray_scheduler.LOCAL_CLUSTER, workers=2) as started:
        yield partial(started, deadline=None)
    assert not [one for one in psutil.Process().children(recursive=True) if "ray" in one.name()]


def plan(workshop):
    """Two tasks that wait for each other, so two workers; one of them takes long; three on top."""
    a = workshop.task("a", friend="victim")
    victim = workshop.task("victim", friend="a", seconds=2.0)
    c = workshop.task("c", a, victim)
    return [victim, a, c, workshop.task("d", c), workshop.task("e", a)]


def test_a_worker_is_killed_and_nothing_is_lost(compute, workshop, store, files, tmp_path):
    killed = []

    def kill_once(task):
        if not killed:
            killed.extend(workshop.wait("victim"))
            os.kill(killed[0], signal.SIGKILL)

    done = []
    compute(plan(workshop), store, on_done=lambda task: (done.append(task), kill_once(task)))
    names = [task.config.name for task in done]
    assert sorted(names) == ["a", "c", "d", "e", "victim"]
    assert len(workshop.began("victim")) == 2  # begun again
    assert len(workshop.began("a")) == 1
    assert os.getpid() not in workshop.began()
    assert not psutil.pid_exists(killed[0])

    alone = ArtifactStore(tmp_path / "alone")
    with scheduler.local_pool(workers=2) as local:
        local(plan(workshop), alone, on_done=lambda _: None, deadline=None)
    assert files(store) == files(alone)
    assert len(files(store)) == 2 * len(names)


def test_only_what_is_missing_is_computed_from_the_store(compute, workshop, store):
    base = workshop.task("base")
    scheduler.compute(base, store)
    done = []
    compute([base, workshop.task("next", base)], store, on_done=done.append)
    assert [task.config.name for task in done] == ["next"]
    assert len(workshop.began("base")) == 1
    assert store.load(done[0])["sum"][0] == pytest.approx(2 * store.load(base)["sum"][0])
    assert store.origin(done[0])[1:] == store.origin(base)[1:]  # the same machine made both
    assert store.origin(base).device


def test_a_cell_that_fails_is_named(compute, workshop, store):
    bad = workshop.task("bad", ends="raises")
    with pytest.raises(RunError, match=r"^task bad: ValueError: no such thing$"):
        compute([bad, workshop.task("above", bad)], store, on_done=lambda _: None)


def test_nothing_is_begun_after_the_deadline_and_what_runs_is_finished(compute, workshop, store):
    awake = [workshop.task("one", friend="two"), workshop.task("two", friend="one")]
    compute(awake, store, on_done=lambda _: None)
    begun = workshop.task("begun", seconds=2.0)
    above = [workshop.task("above", begun), workshop.task("top", begun)]
    compute(above, store, on_done=lambda _: None, deadline=time.monotonic() + 1.0)
    assert store.has(begun)
    assert not workshop.began("above")
    assert not workshop.began("top")


def test_a_cell_whose_workers_all_die_is_named(compute, workshop, store, monkeypatch):
    monkeypatch.setattr(ray_scheduler, "_RETRIES", 1)  # a new worker takes seconds
    with pytest.raises(RunError, match=r"^task bad: WorkerCrashedError"):
        compute([workshop.task("bad", ends="dies")], store, on_done=lambda _: None)
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
        ray_scheduler.ray_cluster("head:6379", workers=1),
    ):
        pass


def test_a_machine_with_other_code_refuses(workshop):
    task = workshop.task("a")
    with pytest.raises(RunError, match="another version"):
        ray_scheduler._work(task.kind, task.config, (), None, "0" * 64)
    arrays, _ = ray_scheduler._work(task.kind, task.config, (), None, ray_scheduler._code())
    assert sorted(arrays) == ["noise", "sum"]
