"""/metrics, /livez and /readyz of the listener, over HTTP from a thread of its own.

Few callers at once, each within a time that drips do not lengthen: whoever reaches this port cannot
take the files and threads that objects need.
"""

import logging
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader, RawIOBase
from threading import Thread, get_ident
from typing import Any

from service.metrics import CONTENT_TYPE

logger = logging.getLogger(__name__)

MOST_CALLERS = 64
#: A caller has said within this what it asks for.
ASK_S = 5.0

#: Status, media type and body of a route.
Answer = tuple[int, str, bytes]
Routes = dict[str, Callable[[], Answer]]
Stop = Callable[[], None]


def start(host: str, port: int, routes: Routes) -> Stop:
    """Begin to answer; return what ends it. A caller that is slow is given up."""

    class Handler(BaseHTTPRequestHandler):
        timeout = ASK_S

        def setup(self) -> None:
            super().setup()
            self.rfile.close()
            self.rfile = BufferedReader(_Hurried(self.connection))

        def do_GET(self) -> None:
            route = routes.get(self.path)
            status, media_type, body = route() if route else (404, "text/plain", b"")
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing: a path is a caller's own word."""

    server = _Server(host, port, Handler)
    Thread(target=server.serve_forever, args=(0.1,), name="http", daemon=True).start()
    logger.info({"message": "answering", "port": server.server_port})

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


class _Hurried(RawIOBase):
    """What a caller says, until its time is over."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._until = connection, time.monotonic() + ASK_S

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


def state(holds: Callable[[], bool]) -> Callable[[], Answer]:
    """Return a route that answers 200 as long as something holds, and else 503."""
    return lambda: (200 if holds() else 503, "text/plain", b"")


def text(written: Callable[[], bytes]) -> Callable[[], Answer]:
    """Return a route that answers in Prometheus's text format."""
    return lambda: (200, CONTENT_TYPE, written())
