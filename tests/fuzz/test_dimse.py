"""Peers that say whatever they like to a listener: it lives, and serves the next one."""

import socket
import struct
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import psutil
import pytest

from ..service.conftest import bundle_folder  # noqa: F401  # a fixture
from ..service.dimse.conftest import (  # noqa: F401  # fixtures
    is_well,
    make_study,
    peers_file,
    shared_target,
    spawn,
)
from ..service.dimse.peers import associated, dataset_of, eventually
from . import upper_layer as ul

MB = 1 << 20
ASSOCIATIONS = 8
#: Rounds between looks at the listener's health.
OFTEN = 50


@pytest.fixture(scope="module")
def listener(spawn, shared_target):  # noqa: F811
    bounds = {
        "max_associations": ASSOCIATIONS,
        "max_object_bytes": MB,
        "max_held_bytes": 2 * MB,
        "max_spool_objects": 200,
        "associate_timeout_s": 2,
        "idle_timeout_s": 2,
        "message_timeout_s": 3,
    }
    with spawn(peers_file(shared_target.port), **bounds) as listener:
        yield listener


@pytest.fixture
def dataset(make_ct, encode):
    image = make_ct()
    return image.SOPInstanceUID.encode(), dataset_of(encode(image))


def a_request(rng, _):
    """A mutated request; or one by titles of a stranger's, which are nobody's to read."""
    if rng.random() < 0.2:
        return [ul.request(called=b"SECRET" + rng.bytes(8), calling=b"SECRET" + rng.bytes(8))]
    return [ul.mutated(rng, ul.request())]


def a_pdu(rng, _):
    """A PDU of any kind and length, before or within an association."""
    payload = rng.bytes(int(rng.integers(200)))
    length = None if rng.random() < 0.5 else int(rng.integers(1 << 32))
    said = ul.pdu(int(rng.integers(9)), payload, length)
    return [said] if rng.random() < 0.3 else [ul.request(), said]


def a_command(rng, dataset):
    """A mutated command set, and a data set behind it."""
    instance, data = dataset
    said = ul.mutated(rng, ul.store(instance))
    if rng.random() < 0.3:
        said = ul.command(
            **{"class": ul.CT_IMAGE, "field": int(rng.integers(1 << 16)),
               "dataset": int(rng.integers(1 << 16)), "instance": rng.bytes(10)}
        )  # fmt: skip
    return [
        ul.request(),
        ul.pdu(4, ul.fragment(3, 3, said)),
        ul.pdu(4, ul.fragment(3, 2, data[:2000])),
    ]


def a_fragment(rng, dataset):
    """Fragments in any order, of any context, whose lengths lie."""
    instance, data = dataset
    pieces = [ul.request()]
    for _ in range(int(rng.integers(1, 8))):
        body = ul.store(instance) if rng.random() < 0.5 else data[: int(rng.integers(3000))]
        length = None if rng.random() < 0.5 else int(rng.choice([0, 1, 2, 5, 1 << 20, 0xFFFFFFFF]))
        context = int(rng.choice([1, 3, 3, 3, 5, 0, 255]))
        pieces.append(ul.pdu(4, ul.fragment(context, int(rng.integers(8)), body, length)))
    return pieces


def an_object(rng, dataset):
    """A whole C-STORE, of a mutated data set."""
    instance, data = dataset
    head = ul.mutated(rng, data[:1200]) + data[1200:]
    return [
        ul.request(),
        ul.pdu(4, ul.fragment(3, 3, ul.store(instance))),
        *(ul.pdu(4, ul.fragment(3, 0, head[at : at + 8000])) for at in range(0, len(head), 8000)),
        ul.pdu(4, ul.fragment(3, 2, b"")),
    ]


def out_of_turn(rng, dataset):
    """Sound PDUs of a whole conversation, in any order, as often as it comes."""
    instance, data = dataset
    known = [
        ul.request(),
        ul.pdu(2, ul.request()[6:]),
        ul.pdu(3, bytes([0, 1, 1, 1])),
        ul.pdu(4, ul.fragment(3, 3, ul.store(instance))),
        ul.pdu(4, ul.fragment(3, 2, data)),
        ul.pdu(4, ul.fragment(1, 3, ul.command(**{"class": ul.VERIFICATION, "field": ul.C_ECHO,
                                                  "message": 1, "dataset": ul.WITHOUT}))),
        ul.pdu(5, bytes(4)),
        ul.pdu(6, bytes(4)),
        ul.pdu(7, bytes(4)),
    ]  # fmt: skip
    chosen = rng.integers(len(known), size=int(rng.integers(2, 7)))
    return [ul.request(), *(known[at] for at in chosen)]


CONVERSATIONS = (a_request, a_pdu, a_command, a_fragment, an_object, out_of_turn)


def converse(port, rng, pieces):
    """Say the pieces, or a part of them; then hear something, or nothing, and go in some way."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        if rng.random() < 0.3:
            said = b"".join(pieces)
            pieces = [said[: int(rng.integers(len(said) + 1))]]
        for at, piece in enumerate(pieces):
            connection.sendall(piece)
            if at == 0 and len(pieces) > 1 and rng.random() < 0.7:  # or all at once
                connection.settimeout(0.3)
                connection.recv(4096)
        connection.settimeout(float(rng.choice([0.001, 0.05])))
        with suppress(TimeoutError):
            connection.recv(4096)
        if rng.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def peak_bytes(listener):
    text = Path(f"/proc/{listener.process.pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


def is_served(listener):
    with associated(listener.port) as assoc:
        return assoc.is_established and assoc.send_c_echo().Status == 0


def check_alive(listener):
    assert listener.process.poll() is None
    assert httpx.get(listener.url + "/readyz").status_code == 200
    assert eventually(lambda: is_served(listener))


def test_whatever_peers_say(listener, shared_target, dataset, rounds, rng, is_well):  # noqa: F811
    """Its output is JSON without a word of theirs: `spawn` sees to that."""
    is_well(listener, shared_target)
    before = peak_bytes(listener)
    for at in range(rounds):
        conversation = CONVERSATIONS[at % len(CONVERSATIONS)]
        converse(listener.port, rng, conversation(rng, dataset))
        if at % OFTEN == OFTEN - 1:
            check_alive(listener)
    check_alive(listener)
    eventually(lambda: listener.metric("held_bytes") == 0)
    assert peak_bytes(listener) - before < 100 * MB
    with ExitStack() as stack:  # every place is free again
        eventually(lambda: psutil.Process(listener.process.pid).num_threads() < 40)
        several = [stack.enter_context(associated(listener.port)) for _ in range(ASSOCIATIONS)]
        assert all(assoc.is_established for assoc in several)
    is_well(listener, shared_target)
    faults = [line for line in listener.said() if line.get("level") in {"error", "critical"}]
    assert not faults
    assert b"Traceback" not in b"".join(listener.lines)
