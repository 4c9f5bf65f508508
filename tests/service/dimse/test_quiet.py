"""An annotation that lacks slices waits while one of them may be on its way."""

import time

import pytest

from .conftest import peers_file
from .peers import answered, associated, eventually, fragments, pause_reactor, send
from .test_listener import measured, texts

QUIET_S = 1.0


@pytest.fixture
def files(study, encode):
    return [encode(made) for made in (*study.images, study.seg)]


@pytest.fixture(scope="module")
def two_senders(spawn, shared_target):
    """A listener of two senders, the one more patient than the other."""
    senders = f"[senders.CT]\nquiet_s = {QUIET_S}\n[senders.OTHER]\n"
    with spawn(peers_file(shared_target.port, senders), quiet_s=0.2) as listener:
        yield listener


def begin(assoc, data, pieces=5):
    """Send a part of an object; return its rest."""
    pause_reactor(assoc)
    size = len(data) // pieces
    first, *rest = fragments(assoc, data, size)
    for pdu in (first, rest.pop(0)):
        assoc.dul.send_pdu(pdu)
    return rest


def finish(assoc, rest):
    for pdu in rest:
        assoc.dul.send_pdu(pdu)
    status = answered(assoc)
    assoc._reactor_checkpoint.set()
    return status


def test_a_slice_that_is_still_arriving(two_senders, shared_target, study, files):
    """The quiet time passes several times meanwhile; the report is of all slices."""
    with associated(two_senders.port, files[1], calling="CT") as slow:
        rest = begin(slow, files[1])
        assert send(two_senders.port, files[0], files[2], files[3], calling="CT") == [0] * 3
        for pdu in rest[:-1]:
            time.sleep(QUIET_S)
            assert two_senders.metric("annotations_waiting") == 1
            slow.dul.send_pdu(pdu)
        assert finish(slow, rest[-1:]) == 0
    report = shared_target.report_of(study.uid)
    assert measured(report) == [study.images[1].SOPInstanceUID]
    assert not [text for text in texts(report) if "not sent" in text]


@pytest.mark.parametrize("how", ["open", "another sender's", "given up"])
def test_what_holds_up_no_report(two_senders, shared_target, study, files, how):
    calling = "OTHER" if how == "another sender's" else "CT"
    with associated(two_senders.port, files[1], calling=calling) as assoc:
        if how != "open":
            begin(assoc, files[1])
            eventually(lambda: two_senders.metric("held_bytes") > 0)
        assert send(two_senders.port, files[0], files[2], files[3], calling="CT") == [0] * 3
        if how == "given up":
            assoc.abort()
        report = shared_target.report_of(study.uid)
    assert any("not sent" in text for text in texts(report))


def test_a_sender_s_own_quiet_time(two_senders, shared_target, study, files):
    began = time.monotonic()
    assert send(two_senders.port, *files[1:], calling="CT") == [0] * 3
    shared_target.report_of(study.uid)
    assert time.monotonic() - began >= QUIET_S
