"""What a peer may make us hold: of one PDU, of one message, of all that are arriving."""

import socket
import time
from dataclasses import replace
from queue import Empty

import pytest
from pynetdicom import AE
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import P_DATA

from service.dimse.pdu import MOST_PDU_BYTES, BoundedMessages, BoundedSocket, Bounds, Held

BOUNDS = Bounds(object_bytes=1000, held_bytes=1500, pdu_s=0.2, message_s=30.0, request_s=10.0)
COMMAND, DATA, LAST = b"\1", b"\0", b"\2"


@pytest.fixture
def make_messages():
    def made(held, bounds=BOUNDS):
        assoc = Association(AE("HEPATICA"), "acceptor")
        assoc.dimse = BoundedMessages(assoc, held)
        return assoc.dimse

    return made


def feed(messages, *fragments):
    """Hand fragments over as PDUs; return whether the association is to end."""
    for data in fragments:
        primitive = P_DATA()
        primitive.presentation_data_value_list = [[1, data]]
        messages.receive_primitive(primitive)
    try:
        return messages.dul.event_queue.get_nowait() == "Evt19"
    except Empty:
        return False


def test_an_object_is_held_as_it_comes(make_messages):
    held = Held(BOUNDS)
    messages = make_messages(held)
    assert not feed(messages, COMMAND, DATA + bytes(400), DATA + bytes(600))
    assert (messages.held, held.total(), messages.dropped) == (1000, 1000, "")
    assert messages.message.data_set.getvalue() == bytes(1000)


def test_what_is_too_large_is_let_go_and_read_to_its_end(make_messages):
    held = Held(BOUNDS)
    messages = make_messages(held)
    assert not feed(messages, COMMAND, DATA + bytes(900), DATA + bytes(101))
    assert (messages.dropped, held.total()) == ("too-large", 0)
    assert messages.message.data_set.getvalue() == b""
    assert not feed(messages, DATA + bytes(999))
    assert feed(messages, DATA + b"\0")


def test_all_share_what_may_be_held(make_messages):
    held = Held(BOUNDS)
    one, two = make_messages(held), make_messages(held)
    feed(one, COMMAND, DATA + bytes(900))
    assert not feed(two, COMMAND, DATA + bytes(500), DATA + bytes(200))
    assert (two.dropped, held.total()) == ("full", 900)
    one.let_go()
    assert not feed(two, DATA + bytes(10))
    assert two.dropped == "full"  # of this object a part is gone
    assert held.total() == 0
    del one
    assert held.room_for(1500)
    assert not held.room_for(1501)


def test_what_came_whole_is_held_until_it_is_served(make_messages):
    """Also where its sender is gone: it would send the next one."""
    held = Held(BOUNDS)
    messages = make_messages(held)
    feed(messages, COMMAND, DATA + bytes(900))
    messages.message = None  # as pynetdicom does, which has put it in its queue
    messages.let_go()
    assert held.total() == 900
    messages.served()
    assert held.total() == 0


@pytest.fixture
def sending(make_messages, monkeypatch):
    """Return what holds the messages of a sender, whose association lives, and those."""
    held = Held(BOUNDS)
    messages = make_messages(held)
    messages.assoc.requestor.ae_title = "CT"
    monkeypatch.setattr(messages.assoc, "is_alive", lambda: True)
    return held, messages


def active(held, *senders):
    return time.time() - held.active_at(senders) < 1


def test_who_is_in_the_midst_of_an_object(sending):
    held, messages = sending
    assert held.active_at(["CT"]) == 0  # an association is merely open
    feed(messages, COMMAND)
    assert held.active_at(["CT"]) == 0  # half a command may be of anything
    feed(messages, DATA + b"half")
    assert active(held, "CT")
    assert active(held, "WS", "CT")
    assert active(held, "")  # not known: it may be any
    assert held.active_at(["WS"]) == 0
    messages.message = None  # whole, in pynetdicom's queue
    assert active(held, "CT")
    messages.served()
    assert 0 < held.active_at(["CT"]) <= time.time()
    assert not messages.arriving


def test_half_an_object_ends_with_its_association(sending):
    held, messages = sending
    feed(messages, COMMAND, DATA + b"half")
    messages.let_go()
    assert not messages.arriving
    assert active(held, "CT")


def test_an_object_is_arriving_no_longer_than_a_message_may_take(sending):
    held, messages = sending
    feed(messages, COMMAND, DATA + b"half")
    messages._began -= BOUNDS.message_s + 1
    assert held.active_at(["CT"]) == 0


def test_an_echo_is_no_object(sending):
    held, messages = sending
    feed(messages, COMMAND)
    messages.message = None
    messages.served()
    assert held.active_at(["CT"]) == 0


def test_a_command_is_short(make_messages):
    assert feed(make_messages(Held(BOUNDS)), COMMAND + bytes(4096))
    assert not feed(make_messages(Held(BOUNDS)), COMMAND + bytes(4095))


def test_a_message_has_a_deadline(make_messages):
    soon = replace(BOUNDS, message_s=0.05)
    messages = make_messages(Held(soon))
    assert not feed(messages, COMMAND)
    time.sleep(0.1)
    assert feed(messages, DATA)


@pytest.mark.parametrize("fragment", [b"", b"\3", LAST], ids=["empty", "no command", "no class"])
def test_what_no_peer_may_send(make_messages, fragment):
    assert feed(make_messages(Held(BOUNDS)), fragment)


@pytest.fixture
def connection():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assoc = Association(AE("HEPATICA"), "acceptor")
        yield BoundedSocket(assoc, ours, BOUNDS), theirs


def test_a_pdu_is_read_whole(connection):
    bounded, peer = connection
    peer.sendall(b"header" + bytes(1000))
    assert bounded.recv(6) == b"header"
    assert bounded.recv(1000) == bytes(1000)
    peer.sendall(b"half")
    peer.close()
    assert bounded.recv(6) == b"half"


def test_a_pdu_that_claims_too_much_is_not_read(connection):
    bounded, peer = connection
    with pytest.raises(ConnectionAbortedError):
        bounded.recv(MOST_PDU_BYTES + 1)
    assert peer.recv(100) == bytes([7, 0, 0, 0, 0, 4, 0, 0, 2, 6])  # A-ABORT (PS3.8, 9.3.8)


def test_a_request_has_a_deadline_of_its_own():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        bounds = replace(BOUNDS, pdu_s=60.0, request_s=0.2)
        bounded = BoundedSocket(Association(AE("HEPATICA"), "acceptor"), ours, bounds)
        theirs.sendall(b"a")
        with pytest.raises(TimeoutError):
            bounded.recv(6)


def test_a_pdu_has_a_deadline_however_it_drips(connection):
    bounded, peer = connection
    began = time.monotonic()
    peer.sendall(b"a")
    with pytest.raises(TimeoutError):
        bounded.recv(6)
    assert time.monotonic() - began < 5


def test_a_connection_is_closed_whoever_was_first(connection):
    bounded, peer = connection
    peer.close()
    bounded.shut()
    assert bounded.socket.fileno() == -1
