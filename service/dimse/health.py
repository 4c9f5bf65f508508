"""/metrics, /livez and /readyz of the listener, over HTTP from a thread of its own."""

import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from service.metrics import CONTENT_TYPE

logger = logging.getLogger(__name__)

#: Status, media type and body of a route.
Answer = tuple[int, str, bytes]
Routes = dict[str, Callable[[], Answer]]
Stop = Callable[[], None]


def start(host: str, port: int, routes: Routes) -> Stop:
    """Begin to answer; return what ends it. A caller that is slow is given up."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

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

    server = ThreadingHTTPServer((host, port), Handler)
    server.daemon_threads = True
    Thread(target=server.serve_forever, args=(0.1,), name="http", daemon=True).start()
    logger.info({"message": "answering", "port": server.server_port})

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


def state(holds: Callable[[], bool]) -> Callable[[], Answer]:
    """Return a route that answers 200 as long as something holds, and else 503."""
    return lambda: (200 if holds() else 503, "text/plain", b"")


def text(written: Callable[[], bytes]) -> Callable[[], Answer]:
    """Return a route that answers in Prometheus's text format."""
    return lambda: (200, CONTENT_TYPE, written())
