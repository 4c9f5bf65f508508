"""A head too large or too slow is given up, and so is a reader of an answer who does not read."""

import socket
import time
from threading import Thread

import pytest
import uvicorn

from service import connection

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def send(monkeypatch, serve_here):
    """Send pieces to a server whose heads are bounded; return all that comes back."""
    monkeypatch.setattr(connection, "MOST_SECONDS", 0.3)

    def exchange(*pieces, pause_s=0.0):
        with socket.create_connection((client.base_url.host, client.base_url.port), 10) as there:
            try:
                for piece in pieces:
                    there.sendall(piece)
                    time.sleep(pause_s)
            except OSError:
                pass  # it has hung up, having said why
            return b"".join(iter(lambda: there.recv(65536), b""))

    with serve_here() as client:
        yield exchange


@pytest.mark.parametrize("start", [GET + b"X-A: ", b"GET /livez?", GET + b"X-A: b\r\n" * 1000])
def test_a_head_too_large(send, start):
    began = time.perf_counter()
    answer = send(start, *[b"a" * 65536] * 64)
    assert answer == b"" or b" 431 " in answer  # what was in flight can outrun the answer
    assert time.perf_counter() - began < 2


def test_a_head_just_small_enough(send):
    fill = b"X-A: " + b"a" * (connection.MOST_BYTES - len(GET) - 200) + b"\r\n"
    assert b" 200 " in send(GET + fill + b"Connection: close\r\n\r\n")


@pytest.mark.parametrize("pieces", [(), (b"G",), (GET,), (GET + b"\r\n" + GET,)])
def test_a_head_that_never_ends(send, pieces):
    began = time.perf_counter()
    assert send(*pieces).count(b"alive") == (b"\r\n\r\n" in b"".join(pieces))
    assert 0.2 < time.perf_counter() - began < 5


def test_a_head_behind_a_large_body(send):
    """Its beginning may come in one piece with the body's end."""
    post = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    answer = send(post + b"a" * 100_000 + GET, b"Connection: close\r\n\r\n", pause_s=0.1)
    assert b" 415 " in answer
    assert b"alive" in answer


def test_a_body_may_take_longer_than_a_head(send):
    post = (
        b"POST /classify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
    )
    answer = send(post, *[b"a" * 50_000] * 2, pause_s=0.5)
    assert b" 415 " in answer


SIZE = 16 << 20  # more than the kernel takes from a server whose reader does not read


async def large(scope, receive, send):
    """Answer /whole with so many bytes at once, all else with as many in pieces."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    pieces = 1 if scope["path"] == "/whole" else 256
    for piece in range(pieces):
        body = bytes(SIZE // pieces)
        await send({"type": "http.response.body", "body": body, "more_body": piece < pieces - 1})


@pytest.fixture(scope="module")
def port():
    """Of a server whose readers may pause for half a second."""
    config = uvicorn.Config(large, http=connection.bounded(0.5), lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def ask(port, path):
    there = socket.socket()
    there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    there.settimeout(10)
    there.connect(("127.0.0.1", port))
    there.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    return there


def read(there, *, pause_s=0.0):
    """Read to the end; return the number of bytes, or -1 where the server has hung up before."""
    size = 0
    try:
        while piece := there.recv(1 << 20):
            size += len(piece)
            time.sleep(pause_s)
    except ConnectionResetError:
        return -1
    return size


@pytest.mark.parametrize("path", ["/whole", "/pieces"])
def test_who_does_not_read_is_hung_up_on(port, path):
    with ask(port, path) as there:
        time.sleep(3)
        assert read(there) < SIZE


@pytest.mark.parametrize("path", ["/whole", "/pieces"])
def test_who_reads_slowly_gets_it_all(port, path):
    with ask(port, path) as there:
        began = time.perf_counter()
        assert read(there, pause_s=0.03) > SIZE
        assert time.perf_counter() - began > 1


def test_a_reader_of_one_answer_may_be_silent_before_the_next(serve_here):
    with serve_here(send_timeout_s=0.2) as client:
        for _ in range(2):
            assert client.get("/models").status_code == 200
            time.sleep(0.6)
