"""The load generator against servers that answer as told, over real sockets."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from benchmarks.client import HOST, Request, ask, encoded, load

StartServer = Callable[[bytes], int]

FIXED = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
SECONDS = 0.05


@pytest.fixture
def start_server() -> Iterator[StartServer]:
    """Start a server of one answer: it waits 2 ms, then gives it in two pieces."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def talk(connection: socket.socket, answer: bytes) -> None:
        with connection, contextlib.suppress(ConnectionError):  # the client has gone
            connection.settimeout(10)  # a connection that is left open fails the test
            while connection.recv(65536):
                time.sleep(0.002)
                connection.sendall(answer[:20])
                connection.sendall(answer[20:])

    def listen(listener: socket.socket, answer: bytes) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # closed
                return
            threads.append(threading.Thread(target=talk, args=(connection, answer)))
            threads[-1].start()

    def start(answer: bytes) -> int:
        listener = socket.create_server((HOST, 0))
        listeners.append(listener)
        threads.append(threading.Thread(target=listen, args=(listener, answer)))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("answer", [FIXED, CHUNKED])
@pytest.mark.parametrize("concurrency", [1, 4])
def test_counts_what_is_answered(
    start_server: StartServer, answer: bytes, concurrency: int
) -> None:
    seen = load(start_server(answer), Request("/"), concurrency=concurrency, seconds=SECONDS)
    assert seen.seconds >= SECONDS
    assert seen.p95_ms >= seen.p50_ms >= 2
    # Each connection has one request in flight all the time, and never two.
    in_flight = seen.requests * seen.p50_ms / 1000 / seen.seconds
    assert seen.requests >= concurrency
    assert in_flight < 1.5 * concurrency
    assert 0 <= seen.share <= 1


def test_a_refusal_ends_the_measurement(start_server: StartServer) -> None:
    port = start_server(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(RuntimeError, match="found status 503"):
        load(port, Request("/"), concurrency=2, seconds=SECONDS)


def test_a_lost_connection_ends_the_measurement() -> None:
    with socket.create_server((HOST, 0)) as listener:
        closing = threading.Thread(target=_accept_and_close, args=(listener,))
        closing.start()
        with pytest.raises(RuntimeError, match="found it lost"):
            load(listener.getsockname()[1], Request("/"), concurrency=1, seconds=SECONDS)
        closing.join()


def _accept_and_close(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    connection.close()


def test_asks_once(start_server: StartServer) -> None:
    assert ask(start_server(CHUNKED), Request("/")) == b"ok"


def test_encodes_get_and_post() -> None:
    assert encoded(Request("/a?b=c")) == b"GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    head, body = encoded(Request("/a", b"\0\r\n", "image/png")).split(b"\r\n\r\n")
    assert head.startswith(b"POST /a HTTP/1.1\r\n")
    assert b"Content-Type: image/png\r\nContent-Length: 3" in head
    assert body == b"\0\r\n"
