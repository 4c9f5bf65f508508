"""When an annotation is classified, and what a fault costs it."""

import asyncio
import errno
import math
import time

import pytest

from service.answers import Classification
from service.dimse import files
from service.dimse.identity import Identity
from service.dimse.metrics import ListenerMetrics
from service.dimse.outbox import Outbox
from service.dimse.peers import load
from service.dimse.senders import Senders
from service.dimse.settings import ListenerSettings
from service.dimse.spool import Spool
from service.dimse.work import MOST_TIMES, Work
from service.report.objects import Made
from service.runtime import Runtime
from service.settings import Settings

from .conftest import peers_file

MADE = [Made("report", "1.1", "1.2", "1.3", "1.4", b"x")]
ANSWER = Classification.model_construct(lesions=[])
QUIET = 100.0


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Work that makes the same report of everything."""
    (tmp_path / "peers.toml").write_text(peers_file(1))
    settings = ListenerSettings(peers=tmp_path / "peers.toml", quiet_s=QUIET, retry_s=0.001)
    spool = Spool(tmp_path, max_bytes=1 << 20, max_objects=100)
    runtime = Runtime(Settings())
    senders = Senders(load(settings.peers), settings, lambda _: 0.0)
    found = Work(
        runtime,
        settings,
        senders,
        spool=spool,
        outbox=Outbox(tmp_path),
        metrics=ListenerMetrics(),
    )

    async def report(*_):
        return ANSWER, MADE

    monkeypatch.setattr(found, "_report", report)
    monkeypatch.setattr(found, "_ready", lambda: True)
    yield found
    runtime.sandbox.close()


@pytest.fixture
def annotation(work):
    """Return an annotation of two slices, one of which is there, since long ago."""

    def kept(*references):
        for at, kind in (("1.20", "ct"), ("1.30", "seg")):
            identity = Identity(
                kind, at, "1", "1.1", references=references if kind == "seg" else ()
            )
            work._spool.keep(identity, (b"x",), arrived=1)
        return work._spool.get(files.key_of("1.30"))

    return kept


def done(work, annotation):
    return asyncio.run(work._done(annotation, asyncio.Event()))


def test_a_full_disk_costs_no_annotation(work, annotation, monkeypatch):
    """However often its report cannot be kept: it is no fault of the annotation's.

    And its lesions are counted once.
    """
    kept = annotation("1.20")
    counted = []
    monkeypatch.setattr("service.dimse.work.count", lambda _, answer: counted.append(answer))

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(work._outbox, "add", full)
        for _ in range(MOST_TIMES + 1):
            assert done(work, kept) < math.inf
            time.sleep(0.002)
    assert kept.key in work._spool
    assert not counted
    assert done(work, kept) == math.inf
    assert list(work._outbox.waiting()) == [kept.key]
    assert counted == [ANSWER]


def test_the_time_that_the_process_was_down_is_no_quiet(work, annotation):
    """Its sender could not send the other slice meanwhile."""
    kept = annotation("1.20", "1.21")
    assert time.time() < done(work, kept) <= time.time() + QUIET
    assert not work._outbox.waiting()


def test_what_is_whole_does_not_wait(work, annotation):
    kept = annotation("1.20")
    assert done(work, kept) == math.inf
    assert list(work._outbox.waiting()) == [kept.key]


def test_what_was_dropped_meanwhile_is_not_begun(work, annotation, monkeypatch):
    """The list of those that wait is older than the last classification."""
    kept = annotation("1.20")
    monkeypatch.setattr(work._spool, "annotations", lambda: [kept])
    work._spool.remove(kept.key)

    async def once():
        stopping = asyncio.Event()
        running = asyncio.create_task(work.run(asyncio.Event(), stopping))
        await asyncio.sleep(0.1)
        stopping.set()
        await running

    asyncio.run(once())
    assert not work._outbox.waiting()
