"""What a peer may make us hold: bounds under pynetdicom's reading of PDUs and messages.

pynetdicom reads a PDU of whatever length its head claims (up to 4 GiB, PS3.8, 9.3.1), waits for it
without end, and gathers a message's fragments in memory until the peer says that it was the last.
Here a PDU has a longest length and a deadline, a message a deadline and a size, and all messages
that are arriving share what may be held. A peer that is gone keeps no association.
"""

import logging
import socket
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from threading import Lock
from typing import Any, Literal
from weakref import WeakSet

from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import C_STORE_RQ
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import P_DATA
from pynetdicom.transport import AssociationSocket

logger = logging.getLogger(__name__)

#: What we ask peers to keep to (PS3.8, D.1), and the longest PDU of any kind that is read: a
#: request for an association that names every SOP class there is has some tens of KiB.
ASKED_PDU_BYTES = 128 * 1024
MOST_PDU_BYTES = 256 * 1024

#: Of a command set: some UIDs and numbers (PS3.7, 6.3).
MOST_COMMAND_BYTES = 4096

#: An A-ABORT by the service provider, invalid PDU parameter (PS3.8, 9.3.8).
_ABORT = bytes([7, 0, 0, 0, 0, 4, 0, 0, 2, 6])

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bytes of one object and of all that are arriving, and seconds.

    For a PDU, for a message, and from the connection to the request for an association.
    """

    object_bytes: int
    held_bytes: int
    pdu_s: float
    message_s: float
    request_s: float


class ProtocolError(Exception):
    """A peer does what no peer may: the association is aborted."""


class EndingProvider(DULServiceProvider):
    """Reads the PDUs of an association. However it ends, nothing is left of the association.

    pynetdicom lets one that nobody asked for yet wait on where its peer is gone (PS3.8, 9.2, AA-5),
    and it counts as one of those that there may be; PDUs out of turn it raises exceptions of.
    """

    def run_reactor(self) -> None:
        """Read until the connection ends or is to be ended, in whatever way."""
        try:
            super().run_reactor()
        except Exception as error:  # of its state machine; what it says may be the peer's words
            logger.warning({"problem": "protocol", "message": type(error).__name__})
        finally:
            if isinstance(self.socket, BoundedSocket):
                self.socket.shut()
            if isinstance(self.assoc.dimse, BoundedMessages):
                self.assoc.dimse.let_go()
            nobody: Any = None  # in place of the request
            self.to_user_queue.put(nobody)


class BoundedSocket(AssociationSocket):
    """A connection whose PDUs are no longer than `MOST_PDU_BYTES`, and no slower than the bound."""

    def __init__(self, assoc: Association, client_socket: socket.socket, bounds: Bounds) -> None:
        super().__init__(assoc, client_socket=client_socket)
        self._pdu_s = bounds.pdu_s
        self._request_until = time.monotonic() + bounds.request_s
        client_socket.settimeout(bounds.pdu_s)

    def recv(self, nr_bytes: int) -> bytearray:
        """Read so many bytes, or as many as come before the connection ends.

        Raise `OSError`, by which pynetdicom ends the association.
        """
        connection = self.socket
        if connection is None:
            raise ConnectionError
        if nr_bytes > MOST_PDU_BYTES:
            logger.warning(
                {
                    "problem": "protocol",
                    "message": f"PDU: found one of {nr_bytes} bytes, expected {MOST_PDU_BYTES}",
                }
            )
            connection.send(_ABORT)
            raise ConnectionAbortedError
        until = time.monotonic() + self._pdu_s
        if self.assoc.requestor.primitive is None:
            until = min(until, self._request_until)
        read = bytearray()
        try:
            while len(read) < nr_bytes:
                connection.settimeout(max(until - time.monotonic(), 0.001))
                part = connection.recv(min(nr_bytes - len(read), _READ_BYTES))
                if not part:
                    break
                read += part
        finally:
            connection.settimeout(self._pdu_s)
        return read

    def shut(self) -> None:
        """End the connection, whoever reads from it: of any thread."""
        self._shutdown_socket()

    def _shutdown_socket(self) -> None:
        """Close the connection, also where the peer was the first: pynetdicom would not."""
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()


class Held:
    """All messages that are arriving, together: their bytes, and who sends them."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._lock = Lock()
        self._messages: WeakSet[BoundedMessages] = WeakSet()
        # AE title -> when the last object of its ended, in seconds of the clock
        self._ended: dict[str, float] = {}

    def add(self, messages: "BoundedMessages") -> None:
        """Count what an association holds, as long as it lives."""
        with self._lock:
            self._messages.add(messages)

    def total(self) -> int:
        """Return how many bytes are held."""
        with self._lock:
            return sum(messages.held for messages in self._messages)

    def active_at(self, senders: Collection[str]) -> float:
        """Return when an object was last arriving from one of the senders; 0 where none was.

        In seconds of the clock, by AE title. A sender that is not known (empty) may be any.
        """
        with self._lock:
            if any(
                messages.arriving and ("" in senders or messages.sender in senders)
                for messages in self._messages
            ):
                return time.time()
            ended = self._ended.items()
            return max((at for one, at in ended if "" in senders or one in senders), default=0.0)

    def ended(self, sender: str) -> None:
        """Remember that an object arrived no more, whole or not."""
        with self._lock:
            self._ended[sender] = time.time()

    def room_for(self, size: int) -> bool:
        """Tell whether so many bytes more may be held."""
        return self.total() + size <= self.bounds.held_bytes


class BoundedMessages(DIMSEServiceProvider):
    """The messages of an association. Of one that is too large, the rest is read and not kept.

    So its sender is told why, by a status. `dropped` says why the last message was not kept:
    `too-large`, or `full` where others hold what may be held; empty if it was.
    """

    def __init__(self, assoc: Association, held: Held) -> None:
        super().__init__(assoc)
        self.held = 0
        self.dropped: Literal["", "too-large", "full"] = ""
        self._pool = held
        self._begun = self._served = 0
        self._size = self._command = 0
        self._began = 0.0
        self._storing = False
        held.add(self)

    @property
    def sender(self) -> str:
        """The AE title of the peer, one of those that may send."""
        return str(self.assoc.requestor.ae_title).strip()

    @property
    def arriving(self) -> bool:
        """Whether an object is on its way: its command has come, and it is not served yet."""
        in_time = time.monotonic() - self._began <= self._pool.bounds.message_s
        return self._storing and in_time and self.assoc.is_alive()

    def receive_primitive(self, primitive: P_DATA) -> None:
        """Take the next fragments. What no peer may send aborts the association."""
        try:
            if self.message is None:
                self._begin()
            fragments = primitive.presentation_data_value_list
            fragments[:] = [(context_id, self._admitted(data)) for context_id, data in fragments]
            super().receive_primitive(primitive)
            self._storing |= isinstance(self.message, C_STORE_RQ)
        except Exception as error:  # whatever pynetdicom and pydicom raise of a hostile command
            said = str(error) if isinstance(error, ProtocolError) else type(error).__name__
            logger.warning({"problem": "protocol", "message": said})
            self.let_go()
            self.dul.event_queue.put("Evt19")  # an invalid PDU (PS3.8, 9.2.3)

    def served(self) -> None:
        """Let go of a message, for an answer is about to be sent: the next one may come."""
        self._end()

    def let_go(self) -> None:
        """Let go of half a message: the association ends.

        One that came whole is held until it is served, whether its sender still waits or not.
        """
        if self.message is not None:
            self.message = None
            self._end()

    def _end(self) -> None:
        self._served = self._begun
        self.held = 0
        if self._storing:
            self._storing = False
            self._pool.ended(self.sender)

    def _begin(self) -> None:
        if self._begun != self._served:  # asynchronous operations were not agreed on (PS3.7, D.3)
            raise ProtocolError("message: found a second before the answer, expected one by one")
        self._begun += 1
        self._size = self._command = 0
        self._began = time.monotonic()
        self.dropped = ""

    def _admitted(self, data: bytes) -> bytes:
        """Return a fragment, or its header alone where it is not to be kept (PS3.8, E.2)."""
        if not data:
            raise ProtocolError("fragment: found 0 bytes, expected its header")
        bounds = self._pool.bounds
        if time.monotonic() - self._began > bounds.message_s:
            raise ProtocolError(f"message: found no end after {bounds.message_s:g} s, expected it")
        if data[0] & 1:
            self._command += len(data)
            if self._command > MOST_COMMAND_BYTES:
                raise ProtocolError(
                    f"command: found {self._command} bytes or more, expected {MOST_COMMAND_BYTES}"
                )
            return data
        self._storing = True
        self._size += len(data) - 1
        if self._size > 2 * bounds.object_bytes:
            raise ProtocolError(
                f"object: found {self._size} bytes or more, expected {bounds.object_bytes}"
            )
        if self._size > bounds.object_bytes:
            self.dropped = "too-large"
        elif not self._pool.room_for(len(data)):
            self.dropped = self.dropped or "full"
        if self.dropped:
            self.held = 0
            if self.message is not None:
                self.message.data_set = BytesIO()
            return data[:1]
        self.held += len(data) - 1
        return data
