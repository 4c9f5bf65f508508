"""Hostile peers and files: refused soon, in bounded memory, and the next study is reported on."""

import socket
import struct
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from pydicom.uid import (
    EnhancedCTImageStorage,
    ImplicitVRLittleEndian,
)
from pynetdicom.pdu_primitives import P_DATA

from ..test_bad_input import MB, deflate_bomb, jpeg_2000_bomb
from .conftest import item, peers_file
from .peers import answered, associated, connected, eventually, send, store


@pytest.fixture(scope="module")
def small(spawn, shared_target):
    """A listener of narrow bounds."""
    bounds = {
        "max_object_bytes": 300_000,
        "max_held_bytes": 500_000,
        "max_associations": 2,
        "idle_timeout_s": 2,
        "associate_timeout_s": 2,
        "message_timeout_s": 3,
    }
    with spawn(peers_file(shared_target.port), **bounds) as listener:
        listener.target = shared_target
        yield listener


@pytest.fixture(scope="module")
def patient(spawn, shared_target):
    """A listener that waits for requests and messages longer than any test does."""
    waits = {"associate_timeout_s": 1000, "idle_timeout_s": 1000}
    with spawn(peers_file(shared_target.port), **waits) as listener:
        yield listener


@pytest.fixture
def costs():
    """See that something took so much memory at most, in all processes of a listener."""

    def measured(listener, most_mb, act):
        before = peak_bytes(listener)
        result = act()
        assert peak_bytes(listener) - before < most_mb * MB
        return result

    return measured


def peak_bytes(listener):
    """Return the most memory that the process and its decoder ever held, summed."""
    process = psutil.Process(listener.process.pid)
    processes = [process, *process.children(recursive=True)]
    status = [Path(f"/proc/{process.pid}/status").read_text() for process in processes]
    return sum(int(text.split("VmHWM:")[1].split()[0]) * 1024 for text in status)


def ended(connection, seconds=10):
    """Wait until the other side ends a connection."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize("kind", [1, 4])
def test_a_pdu_that_claims_4_gib(listener, costs, kind, is_well):
    def claim():
        with connected(listener.port) as connection:
            connection.sendall(struct.pack(">BBL", kind, 0, 0xFFFFFFFF))
            with pytest.raises(OSError):  # noqa: PT011, PT012  # reset, broken pipe or timeout
                while True:
                    connection.sendall(bytes(MB))
            assert ended(connection)

    before = listener.times("PDU: found one of 4294967295 bytes, expected 262144")
    costs(listener, 20, claim)
    listener.wait("PDU: found one of 4294967295 bytes, expected 262144", count=before + 1)
    is_well(listener, listener.target)


def test_a_pdu_that_claims_4_gib_within_an_association(listener, files, is_well):
    with associated(listener.port, *files) as assoc:
        assoc.dul.socket.socket.sendall(struct.pack(">BBL", 4, 0, 0xFFFFFFFF))
        assert answered(assoc) == -1
    is_well(listener, listener.target)


@pytest.fixture
def files(study, encode):
    return [encode(made) for made in (*study.images, study.seg)]


@pytest.mark.parametrize(
    "said", [b"", b"\1", b"\1\0\0\0\1\0half"], ids=["nothing", "a byte", "half"]
)
def test_who_is_silent_goes(small, said):
    began = time.monotonic()
    with connected(small.port) as connection:
        connection.sendall(said)
        assert ended(connection)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    "said",
    [b"", b"\1", b"\1\0\0\0\1\0half", bytes([7, 0, 0, 0, 0, 4, 0, 0, 0, 0]), b"GET / HTTP/1.1\r\n"],
    ids=["nothing", "a byte", "half", "an abort", "no PDU"],
)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_who_is_gone_keeps_no_place(patient, files, said, reset):
    """Twice as many as there may be, of a listener that would wait for their requests for long."""
    connections = [socket.create_connection(("127.0.0.1", patient.port)) for _ in range(20)]
    for connection in connections:
        if reset:  # what is not sent yet is thrown away
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        with suppress(OSError):  # those that were one too many
            connection.sendall(said)
        connection.close()
    assert eventually(lambda: is_accepted(patient, files))
    assert patient.process.poll() is None


def test_who_is_gone_in_an_association_keeps_no_place(patient, files):
    for _ in range(3):
        with ExitStack() as stack:
            for _ in range(8):
                assoc = stack.enter_context(associated(patient.port, *files))
                send_fragment(assoc, b"\1\0")
                assoc.dul.socket.socket.shutdown(socket.SHUT_RDWR)
        assert eventually(lambda: is_accepted(patient, files))


def test_who_is_silent_keeps_nobody_from_ending(spawn, files):
    """SIGTERM is heard while a peer is in the midst of a PDU."""
    with spawn(peers_file(1)) as listener, connected(listener.port) as connection:
        connection.sendall(struct.pack(">BBL", 1, 0, 1000))
        began = time.monotonic()
        assert listener.stop() == 0
        assert time.monotonic() - began < 25  # of the 60 s that a PDU may take
        assert ended(connection)


def test_who_drips_goes(small):
    began = time.monotonic()
    with connected(small.port) as connection:
        connection.sendall(struct.pack(">BBL", 1, 0, 1000))
        with pytest.raises(OSError):  # noqa: PT011, PT012  # whichever way it ends
            while time.monotonic() - began < 10:
                connection.sendall(b"\0")
                time.sleep(0.02)
    assert time.monotonic() - began < 15


def test_an_association_that_is_silent_goes(small, files):
    with associated(small.port, *files) as assoc:
        assert answered(assoc) == -1


def test_a_message_without_end_goes(small, files):
    """Fragments that keep coming, each soon enough."""
    with associated(small.port, *files) as assoc:
        began = time.monotonic()
        while assoc.is_established and time.monotonic() - began < 10:
            send_fragment(assoc, b"\1\0")
            time.sleep(0.1)
        assert assoc.is_aborted
    small.wait("message: found no end after 3 s, expected it")


def send_fragment(assoc, data):
    fragment = P_DATA()
    fragment.presentation_data_value_list.append([assoc.accepted_contexts[0].context_id, data])
    assoc.dul.send_pdu(fragment)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\1" + bytes(5000), "command: found 5001 bytes or more, expected 4096"),
        (b"\3" + bytes(100), None),
        (b"\3" + b"\0\0\0\1\xff\xff\xff\xff" * 400, None),
        (b"\2" + bytes(100), None),
    ],
    ids=["long", "zeros", "nested", "no command"],
)
def test_a_command_that_is_none(listener, files, data, message, is_well):
    with associated(listener.port, *files) as assoc:
        send_fragment(assoc, data)
        assert answered(assoc) == -1
    if message:
        listener.wait(message)
    is_well(listener, listener.target)


def test_two_messages_at_once(listener, files, is_well):
    """A second request before the answer: asynchronous operations were not agreed on."""
    with associated(listener.port, *files) as assoc:
        for _ in range(8):
            send_fragment(assoc, b"\1\0")
            send_fragment(assoc, b"\3\0")
        assert answered(assoc) == -1
    is_well(listener, listener.target)


def test_an_object_that_is_too_large(small, make_ct, encode):
    hu = np.zeros((512, 300))
    large, larger = encode(make_ct(hu)), encode(make_ct(np.zeros((512, 700))))
    with associated(small.port, large) as assoc:
        assert store(assoc, large) == 0xC000
        assert store(assoc, large) == 0xC000  # the association goes on
        assert store(assoc, larger) == -1
    assert small.metric("objects_total", kind="ct", outcome="too-large") == 2


def test_more_at_once_than_may_be_held(small, make_ct, encode):
    """One sender is in the midst of an object; another's is put off, for the moment."""
    data = encode(make_ct(np.zeros((512, 280))))
    with associated(small.port, data) as slow, associated(small.port, data) as quick:
        send_fragment(slow, b"\1\0")
        for _ in range(28):
            send_fragment(slow, b"\0" + bytes(10_000))
        eventually(lambda: small.metric("held_bytes") == 280_000)
        assert store(quick, data) == 0xA700
        slow.abort()
        assert eventually(lambda: store(quick, data) == 0)


def test_more_associations_than_allowed(small, files):
    with (
        associated(small.port, *files),
        associated(small.port, *files),
        associated(small.port, *files) as third,
    ):
        assert third.is_rejected
    assert eventually(lambda: is_accepted(small, files))


def is_accepted(listener, files):
    with associated(listener.port, *files) as assoc:
        return assoc.is_established


def test_more_connections_than_allowed(small, files):
    with ExitStack() as stack:
        *four, fifth = [stack.enter_context(connected(small.port)) for _ in range(5)]
        assert ended(fifth, 0.5)
        assert all(map(ended, four))
    assert eventually(lambda: is_accepted(small, files))


def test_a_full_spool(spawn, target, files):
    with spawn(peers_file(target.port), max_spool_objects=3, quiet_s=1000) as listener:
        assert send(listener.port, *files) == [0, 0, 0xA700, 0]  # the SEG has room of its own
        assert send(listener.port, *files[:2]) == [0, 0]  # they are there
        assert listener.metric("objects_total", kind="ct", outcome="full") == 1
        assert listener.metric("spool_objects") == 3


def deep(make_ct, encode):
    """200 sequences, one in the other."""
    data = encode(make_ct(), ImplicitVRLittleEndian)
    at = data.index(b"\x20\0\x0d\0")
    opened = (b"\x08\0\x40\x11" + b"\xff" * 4 + b"\xfe\xff\0\xe0" + b"\xff" * 4) * 200
    return data[:at] + opened + data[at:]


def empties(make_ct, encode):
    """Millions of empty elements."""
    data = encode(make_ct(), ImplicitVRLittleEndian)
    at = data.index(b"\x20\0\x0d\0")
    return data[:at] + b"\x09\0\x01\0\0\0\0\0" * 1_000_000 + data[at:]


@pytest.mark.parametrize(
    "hostile",
    [lambda *tools: deflate_bomb(*tools)[0], deep, empties, lambda *_: None],
    ids=["deflated", "deep", "empties", "cut"],
)
def test_a_file_that_is_refused_on_receipt(listener, costs, hostile, make_ct, encode, is_well):
    data = hostile(make_ct, encode) or encode(make_ct())[:400]
    began = time.monotonic()
    with associated(listener.port, data) as assoc:
        status = costs(listener, 200, lambda: store(assoc, data))
    assert status >= 0xA900
    assert time.monotonic() - began < 10
    is_well(listener, listener.target)


def large_head(study, encode):
    """A slice with 30 MB before its pixels."""
    study.images[1].add_new(0x00091010, "OB", bytes(30 * MB))
    return [encode(made) for made in (*study.images, study.seg)]


def pixels_bomb(study, encode):
    """A slice whose few bytes ask for 1.8 GB of pixels, on which the SEG draws."""
    data, _ = jpeg_2000_bomb(lambda _: study.images[1], encode)
    study.seg.Rows, study.seg.Columns = study.images[1].Rows, study.images[1].Columns
    return [encode(study.images[0]), data, encode(study.images[2]), encode(study.seg)]


def many_frames(study, encode):
    """A SEG and an image of 20,000 frames, so they say."""
    study.seg.NumberOfFrames = 20_000
    return [encode(made) for made in (*study.images, study.seg)]


def many_images(study, encode):
    image = study.images[1]
    image.SOPClassUID = EnhancedCTImageStorage
    image.NumberOfFrames = 20_000
    image.SharedFunctionalGroupsSequence = [item()]
    image.PerFrameFunctionalGroupsSequence = [item() for _ in range(20_000)]
    return [encode(made) for made in (*study.images, study.seg)]


@pytest.mark.parametrize("hostile", [large_head, pixels_bomb, many_frames, many_images])
def test_a_file_that_is_refused_when_it_is_read(listener, costs, hostile, study, encode, is_well):
    files = hostile(study, encode)
    done = listener.metric("jobs_total")
    status = costs(listener, 400, lambda: send(listener.port, *files))
    if status[3] == 0:
        eventually(lambda: listener.metric("jobs_total") == done + 1, seconds=20)
    is_well(listener, listener.target)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"instance": "1.2.3"}, 0xA900),
        ({"sop_class": "1.2.840.10008.1.1"}, 0xC000),
        ({"instance": "../../etc/passwd"}, 0xC000),
    ],
)
def test_another_object_than_announced(listener, make_ct, encode, change, status):
    data = encode(make_ct())
    with associated(listener.port, data) as assoc:
        assert store(assoc, data, **change) == status
