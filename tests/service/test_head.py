"""A head too large or too slow is given up; what follows a head is not its affair."""

import socket
import time

import pytest
import uvicorn

from service import head

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def send(monkeypatch, serve_here):
    """Send pieces to a server whose heads are bounded; return all that comes back."""
    monkeypatch.setitem(uvicorn.config.HTTP_PROTOCOLS, "auto", "")
    monkeypatch.setattr(head, "MOST_SECONDS", 0.3)
    head.bound()

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
    fill = b"X-A: " + b"a" * (head.MOST_BYTES - len(GET) - 200) + b"\r\n"
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
