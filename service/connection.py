"""Bounds on a connection, where uvicorn has none: on a request's head, and on who reads no answer.

uvicorn's parser takes a head of any size, in time that grows with its square, and waits for it for
ever: one client could stop the event loop for all. An answer is written into memory as a whole and
waits there for its reader, for ever too, and with it the end of the process. uvicorn's settings do
not reach this far.
"""

import asyncio
from typing import Any

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.settings import KEEP_ALIVE_S

#: Of the request line and all header fields together; no honest head comes near.
MOST_BYTES = 64 * 1024
#: From a connection, or a head's first byte, to its last.
MOST_SECONDS = 30.0
#: What a reader has to take of an answer that waits, within each of its pauses.
LEAST_TAKEN = 64 * 1024

_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


def bound(pause_s: float, keep_alive_s: float) -> None:
    """Have every server that is configured from now on bound its connections."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = bounded(pause_s, keep_alive_s)  # type: ignore[assignment] # a class will do


def bounded(pause_s: float, keep_alive_s: float = KEEP_ALIVE_S) -> type["BoundedConnection"]:
    """Return the protocol for readers that pause and connections that idle no longer than this."""
    bounds = {"pause_s": pause_s, "keep_alive_s": keep_alive_s}
    return type("BoundedConnection", (BoundedConnection,), bounds)


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on a head too large or too slow, and on a deaf reader."""

    pause_s = 60.0
    keep_alive_s = KEEP_ALIVE_S
    _bytes = 0
    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # uvloop's is no asyncio.Transport
        """Wait for the first head."""
        super().connection_made(transport)
        self.timeout_keep_alive = self.keep_alive_s  # type: ignore[assignment] # a float will do
        self._begin_head()

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._begin_head()

    def on_headers_complete(self) -> None:
        """Wait no longer: what follows is the application's affair."""
        self._end_head()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse, and count what belongs to a head, but for its first piece."""
        before = self._head
        super().data_received(data)
        if before and self._head is before:  # what a body and the next head share counts for none
            self._bytes += len(data)
            if self._bytes > MOST_BYTES:
                self.transport.write(_REFUSAL)
                self.transport.close()

    def pause_writing(self) -> None:
        """Wait for the reader of an answer whose rest is to follow."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Wait no longer: it reads."""
        self._end_reader()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Wait for the reader of the answer's end."""
        super().on_response_complete()
        self._wait_for_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._end_head()
        self._end_reader()
        super().connection_lost(exc)

    def _begin_head(self) -> None:
        self._end_head()
        self._bytes = 0
        self._head = self.loop.call_later(MOST_SECONDS, self.transport.close)

    def _end_head(self) -> None:
        if self._head:
            self._head.cancel()
            self._head = None

    def _wait_for_reader(self) -> None:
        self._end_reader()
        waiting = self.transport.get_write_buffer_size()
        if waiting:
            self._reader = self.loop.call_later(self.pause_s, self._judge_reader, waiting)

    def _judge_reader(self, before: int) -> None:
        waiting = self.transport.get_write_buffer_size()
        if waiting and before - waiting < LEAST_TAKEN:
            self.transport.abort()  # closing would wait for the reader
        else:
            self._wait_for_reader()

    def _end_reader(self) -> None:
        if self._reader:
            self._reader.cancel()
            self._reader = None
