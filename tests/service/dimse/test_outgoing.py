"""What has had its time goes; what an annotation still waits with stays."""

import asyncio
import os
import time

import pytest

from service.dimse import files
from service.dimse.identity import Identity
from service.dimse.metrics import ListenerMetrics
from service.dimse.outbox import Outbox
from service.dimse.outgoing import Outgoing
from service.dimse.peers import Target
from service.dimse.settings import ListenerSettings
from service.dimse.spool import Spool
from service.pacs.directory import Directory
from service.report.objects import Made

from .conftest import peers_file

NOW = time.time()
LONG_AGO = NOW - 100_000


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path, max_bytes=1 << 20, max_objects=100)


@pytest.fixture
def keep(spool):
    def kept(instance, arrived, kind="ct", **said):
        identity = Identity(kind, instance, "1", "1.1", **said)
        spool.keep(identity, (b"x",), arrived=arrived)
        return files.key_of(instance)

    return kept


@pytest.fixture
def tidied(tmp_path, spool):
    """Tidy, and return the outbox."""

    def done():
        (tmp_path / "peers.toml").write_text(peers_file(1))
        settings = ListenerSettings(peers=tmp_path / "peers.toml")
        outgoing = Outgoing(
            Directory({}),
            Target(ae_title="TARGET", host="127.0.0.1", port=1),
            settings,
            spool=spool,
            outbox=(outbox := Outbox(tmp_path)),
            metrics=ListenerMetrics(),
        )
        asyncio.run(outgoing._tidy(NOW))
        return outbox

    return done


def instances(spool):
    return {kept.identity.instance for kept in spool.all()}


def test_images_go_that_no_annotation_waits_with(spool, keep, tidied):
    keep("1.20", LONG_AGO)
    keep("1.21", LONG_AGO)
    keep("1.22", NOW)
    keep("1.30", NOW, "seg", references=("1.21", "1.23"))
    tidied()
    assert instances(spool) == {"1.21", "1.22", "1.30"}


def test_annotations_go_but_for_those_whose_report_waits(spool, keep, tidied, tmp_path):
    keep("1.30", LONG_AGO, "seg")
    reported = keep("1.31", LONG_AGO, "seg")
    Outbox(tmp_path).add(reported, [Made("report", "1.1", "1.2", "1.3", "1.4", b"x")])
    assert list(tidied().waiting()) == [reported]
    assert instances(spool) == {"1.31"}


def test_how_often_something_was_begun_is_forgotten_too(tidied, tmp_path):
    """Of an annotation that was dropped, nobody else would clear it away."""
    Outbox(tmp_path).begin("ab")
    os.utime(tmp_path / "trying" / "ab", (1, 1))
    tidied()
    assert not list((tmp_path / "trying").iterdir())
