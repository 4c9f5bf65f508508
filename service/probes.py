"""/livez, /readyz and /metrics on a port of their own, answered by a thread of its own.

A probe need not queue behind the requests of an event loop, however many they are. Few callers at
once, each within a time that drips do not lengthen: whoever reaches this port cannot take the files
and threads that requests need.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from socketserver import TCPServer
from threading import Thread, get_ident
from typing import Any

from service.metrics import CONTENT_TYPE

logger = logging.getLogger(__name__)

MOST_CALLERS = 64
#: A caller has said within this what it asks for.
REQUEST_TIMEOUT_S = 5.0
#: An event loop that has not run for so long is taken for dead. Load alone delays it by seconds.
ALIVE_S = 30.0
_BEAT_S = 1.0

#: Status, media type and body of a route.
Answer = tuple[int, str, bytes]
Routes = dict[str, Callable[[], Answer]]
Stop = Callable[[], None]


def serve(host: str, port: int, *, ready: Callable[[], bool], metrics: Callable[[], bytes]) -> Stop:
    """Begin to answer for the event loop that runs here; return what ends it.

    /livez answers 200 as long as the loop runs, /readyz as long as `ready` holds; else 503. Raise
    `OSError` where nothing can listen there.
    """
    heartbeat = _Heartbeat(asyncio.get_running_loop())
    routes = {
        "/livez": _state(heartbeat.alive),
        "/readyz": _state(ready),
        "/metrics": _text(metrics),
    }
    stop = start(host, port, routes)
    heartbeat.beat()

    def end() -> None:
        heartbeat.stop()
        stop()

    return end


def start(host: str, port: int, routes: Routes) -> Stop:
    """Begin to answer; return what ends it. A caller that is slow is given up."""

    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_TIMEOUT_S

        def setup(self) -> None:
            super().setup()
            self.rfile.close()
            self.rfile = BufferedReader(_DeadlineReader(self.connection))

        def do_GET(self) -> None:
            route = routes.get(self.path)
            self._answer(*(route() if route else _nothing(404)))

        def send_error(self, code: int, *_: object) -> None:
            """Refuse, without the page that `http.server` writes of a caller's own words."""
            self._answer(*_nothing(code))

        def version_string(self) -> str:
            return "hepatica"

        def _answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: a path is a caller's own word."""

    server = _Server(host, port, Handler)
    Thread(target=server.serve_forever, args=(0.1,), name="probes", daemon=True).start()
    logger.info({"message": "answering", "port": server.server_port})

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


class _Heartbeat:
    """Notes once a second that its event loop runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._beaten = loop, time.monotonic()
        self._next: asyncio.TimerHandle | None = None

    def beat(self) -> None:
        self._beaten = time.monotonic()
        self._next = self._loop.call_later(_BEAT_S, self.beat)

    def alive(self) -> bool:
        return time.monotonic() - self._beaten < ALIVE_S

    def stop(self) -> None:
        if self._next:
            self._next.cancel()


class _DeadlineReader(RawIOBase):
    """Reads a request, within one deadline for all of it."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._until = connection, time.monotonic() + REQUEST_TIMEOUT_S

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(max(self._until - time.monotonic(), 0.001))
        return self._connection.recv_into(buffer)


class _Server(ThreadingHTTPServer):
    """Answers so many callers; who comes then is not answered."""

    daemon_threads = True

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._busy: set[int] = set()
        super().__init__((host, port), handler)

    def server_bind(self) -> None:
        """Bind, without asking a name server what this host is called, as `HTTPServer` does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()[:2]

    def verify_request(self, *_: object) -> bool:
        return len(self._busy) < MOST_CALLERS

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self._busy.add(get_ident())
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._busy.discard(get_ident())

    def handle_error(self, *_: object) -> None:
        """Print nothing of a caller that was gone before its answer."""


def _nothing(status: int) -> Answer:
    return status, "text/plain", b""


def _state(holds: Callable[[], bool]) -> Callable[[], Answer]:
    """Return a route that answers 200 as long as something holds, and else 503."""
    return lambda: _nothing(200 if holds() else 503)


def _text(written: Callable[[], bytes]) -> Callable[[], Answer]:
    """Return a route that answers in Prometheus's text format."""
    return lambda: (200, CONTENT_TYPE, written())
