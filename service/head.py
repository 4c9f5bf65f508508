"""Bounds on the head of a request, which uvicorn reads to its end before anybody else sees it.

uvicorn's parser takes a head of any size, in time that grows with its square, and waits for it for
ever: one client could stop the event loop for all. Settings do not reach this far, and no honest
head comes near.
"""

import asyncio
from typing import Any

import uvicorn.config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

#: Of the request line and all header fields together.
MOST_BYTES = 64 * 1024
#: From a connection, or a head's first byte, to its last.
MOST_SECONDS = 30.0

_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


def bound() -> None:
    """Have every server that is configured from now on bound the heads that it reads."""
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{__name__}:{BoundedHead.__name__}"


class BoundedHead(HttpToolsProtocol):
    """uvicorn's protocol, which gives up on a head too large or too slow."""

    _bytes = 0
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:  # uvloop's is no asyncio.Transport
        """Wait for the first head."""
        super().connection_made(transport)
        self._begin()

    def on_message_begin(self) -> None:
        """Wait for the rest of a head."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """Wait no longer: what follows is the application's affair."""
        self._end()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Parse, and count what belongs to a head, but for its first piece."""
        before = self._timer
        super().data_received(data)
        if before and self._timer is before:  # what a body and the next head share counts for none
            self._bytes += len(data)
            if self._bytes > MOST_BYTES:
                self.transport.write(_REFUSAL)
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._bytes = 0
        self._timer = self.loop.call_later(MOST_SECONDS, self.transport.close)

    def _end(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
