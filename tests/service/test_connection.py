"""A request too large or too slow around its body is given up, and so is a reader who reads not."""

import asyncio
import json
import logging
import re
import socket
import time
from threading import Thread

import numpy as np
import pytest
import uvicorn

from service import connection

GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n"
CLOSE = b"Connection: close\r\n\r\n"
MB = 1 << 20


def chunked(path, *, method="POST"):
    return (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-npy\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode()


def problem(answer):
    """Return the status and the name of the last problem in what came back."""
    statuses = re.findall(rb"HTTP/1.1 (\d+)", answer)
    return int(statuses[-1]), json.loads(answer.rpartition(b"\r\n\r\n")[2])["type"].split(":")[-1]


@pytest.fixture
def send(monkeypatch, client):
    """Send pieces to a server whose heads are bounded; return all that comes back."""
    monkeypatch.setattr(connection, "MOST_SECONDS", 0.3)

    def exchange(*pieces, pause_s=0.0):
        with socket.create_connection((client.base_url.host, client.base_url.port), 10) as there:
            try:
                for piece in pieces:
                    there.sendall(piece)
                    time.sleep(pause_s)
            except OSError:
                pass  # it has hung up
            return whole(there)

    return exchange


@pytest.fixture
def refusals(client):
    """Return how often a problem was answered."""

    def count(slug):
        sample = re.search(rf'problem="{slug}"}} (\S+)', client.get("/metrics").text)
        return float(sample[1]) if sample else 0.0

    return count


def whole(there):
    """Read to the end, or to where the server will not hear more."""
    answer = b""
    try:
        while piece := there.recv(65536):
            answer += piece
    except ConnectionResetError:
        pass
    return answer


@pytest.mark.parametrize("start", [GET + b"X-A: ", b"GET /livez?", GET + b"X-A: b\r\n" * 1000])
def test_a_head_too_large(send, start):
    assert problem(send(start, *[b"a" * 65536] * 64)) == (431, "overhead")


FLOODS = {
    "trailers": b"0\r\n" + b"a:b\r\n" * 40_000,
    "one trailer": b"0\r\na:" + b"b" * (200 << 10),
    "an extension": b"1;" + b"a" * (200 << 10),
    "extensions": (b"1;" + b"a" * 100 + b"\r\nx\r\n") * 2000,
}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_around_a_body(send, refusals, flood):
    before = refusals("overhead")
    assert problem(send(chunked("/classify"), flood)) == (431, "overhead")
    assert refusals("overhead") == before + 1


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/docs", "/nowhere"])
@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_behind_an_answer(send, path, flood):
    """It is hung up on: an answer it has already."""
    answer = send(chunked(path), b"", *[flood] * 50, pause_s=0.002)
    assert len(re.findall(rb"HTTP/1.1 \d+", answer)) == 1


def test_line_breaks_before_a_request_are_counted(send):
    assert problem(send(b"\r\n" * 50_000)) == (431, "overhead")
    assert b"alive" in send(b"\r\n" * 50 + GET + CLOSE)


@pytest.mark.parametrize("size", [b"f" * 17, b"-1", b"0x5", b"5 5", b""])
def test_a_size_of_a_chunk_that_is_none(send, size):
    assert problem(send(chunked("/classify"), size + b"\r\n")) == (400, "invalid-request")


def test_a_body_of_the_smallest_chunks_is_taken(send, npy):
    data = npy(np.zeros((64, 64), np.float32))
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in data)
    close = chunked("/classify").replace(b"\r\n\r\n", b"\r\n" + CLOSE)
    assert b" 200 " in send(close, chunks, b"0\r\nDigest: x\r\n\r\n")


def test_a_body_that_is_coded_on_its_way_is_not_taken_for_the_file(send):
    head = chunked("/classify").replace(b": chunked\r\n", b": gzip, chunked\r\n" + CLOSE[:-2])
    assert problem(send(head, b"1\r\na\r\n0\r\n\r\n")) == (415, "unknown-coding")


def test_a_request_can_be_no_two(send):
    """Else what stands between us and the client could see other requests than we do."""
    both = GET + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + CLOSE
    assert problem(send(both + b"0\r\n\r\n")) == (400, "invalid-request")
    twice = GET + b"Content-Length: 5\r\nContent-Length: 6\r\n" + CLOSE
    assert problem(send(twice + b"aaaaaa")) == (400, "invalid-request")


def test_what_is_no_request_is_answered_in_its_turn(send, refusals, caplog):
    """Behind the whole of the answer before it; logged and counted."""
    caplog.set_level(logging.INFO, "service.requests")
    before = refusals("invalid-request")
    page = b"GET /synthesize?class=cyst&format=npz&count=50&seed=1 HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = send(page + b"\0SECRET\r\n\r\n")
    assert answer.index(b"0\r\n\r\nHTTP/1.1 400 ") > 50 * 64 * 64
    assert problem(answer) == (400, "invalid-request")
    told = [record.msg for record in caplog.records if record.name == "service.requests"]
    assert ("other", 400) in {(line["route"], line["status"]) for line in told}
    assert "SECRET" not in caplog.text
    assert refusals("invalid-request") == before + 1


def test_requests_that_wait_behind_another_are_few(send):
    answer = send((GET + b"\r\n") * 2000)
    assert 1 < answer.count(b"alive") <= connection.MOST_QUEUED + 1
    assert problem(answer) == (400, "invalid-request")


def test_no_upgrade_is_made(send, caplog):
    caplog.set_level(logging.INFO, "uvicorn.error")
    upgrade = (
        GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b"alive" in send(upgrade)
    assert not [record for record in caplog.records if record.name == "uvicorn.error"]


def test_a_head_just_small_enough(send):
    fill = b"X-A: " + b"a" * (connection.MOST_BYTES - len(GET) - 200) + b"\r\n"
    assert b" 200 " in send(GET + fill + CLOSE)


@pytest.mark.parametrize("pieces", [(), (b"G",), (GET,), (GET + b"\r\n" + GET,)])
def test_a_head_that_never_ends(send, pieces):
    began = time.perf_counter()
    assert send(*pieces).count(b"alive") == (b"\r\n\r\n" in b"".join(pieces))
    assert 0.2 < time.perf_counter() - began < 5


def test_a_head_behind_a_large_body(send):
    """Its beginning may come in one piece with the body's end."""
    post = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    answer = send(post + b"a" * 100_000 + GET, CLOSE, pause_s=0.1)
    assert b" 415 " in answer
    assert b"alive" in answer


DRIPS = {
    "a body": (b"100\r\n", *[b"a"] * 200),
    "trailers": (b"0\r\n", *[b"a:b\r\n"] * 200),
    "an extension": (b"1;", *[b"a"] * 200),
}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/nowhere"])
@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_what_drips_behind_an_answer_is_hung_up_on(send, path, drip):
    began = time.perf_counter()
    send(chunked(path), *drip, pause_s=0.05)
    assert time.perf_counter() - began < 8  # of ten that the drops would take


BODIES = {
    "none": (b"", 408),
    "a flood": (b"1;" + b"a" * 200_000, 431),
    "no chunk": (b"x\r\n", 400),
    "too much": (b"%x\r\n" % MB + bytes(MB), 413),
}


@pytest.mark.parametrize(("body", "status"), BODIES.values(), ids=BODIES)
def test_an_answer_that_streams_begins_behind_its_request(serve_here, caplog, body, status):
    """Else what is wrong with the rest of the request would end it midway, as a fault of ours."""
    head = chunked("/synthesize?class=cyst&format=npz&seed=1&count=300", method="GET")
    with serve_here(receive_timeout_s=0.5, max_body_bytes=100_000) as client:
        there = socket.create_connection((client.base_url.host, client.base_url.port), 10)
        with there:
            there.sendall(head)
            time.sleep(0.1)
            there.sendall(body)
            assert problem(whole(there))[0] == status
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_line_breaks_keep_no_connection(send):
    began = time.perf_counter()
    assert b"alive" in send(GET + b"\r\n", *[b"\r\n"] * 200, pause_s=0.05)
    assert time.perf_counter() - began < 8


def test_a_connection_is_not_kept_for_ever_behind_a_late_body(send):
    head = b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
    assert b" 405 " in send(head, b"aaaaa", pause_s=0.1)


def test_a_body_may_take_longer_than_a_head(send):
    post = (
        b"POST /classify HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100000\r\n\r\n"
    )
    answer = send(post, *[b"a" * 50_000] * 2, pause_s=0.5)
    assert b" 415 " in answer


SIZE = 16 << 20  # more than the kernel takes from a server whose reader does not read


def test_who_sends_too_much_is_told_so(serve_here):
    """Who writes all before he reads gets the answer, not a reset connection."""
    head = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (32 * MB)
    with (
        serve_here(max_body_bytes=MB) as client,
        socket.create_connection((client.base_url.host, client.base_url.port), 10) as there,
    ):
        there.sendall(head + bytes(32 * MB))
        time.sleep(0.2)
        assert problem(whole(there)) == (413, "too-large")


async def large(scope, receive, send):
    """Answer /whole with so many bytes at once, /late late, all else with as many in pieces."""
    if scope["path"] == "/late":
        await asyncio.sleep(1)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        return
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


def test_a_head_that_we_keep_waiting_has_its_time_still(port, monkeypatch):
    """Behind two requests of which the first is being answered, nothing more is read."""
    monkeypatch.setattr(connection, "MOST_SECONDS", 0.5)
    late = b"GET /late HTTP/1.1\r\nHost: x\r\n"
    with socket.create_connection(("127.0.0.1", port), 10) as there:
        there.sendall((late + b"\r\n") * 2 + late)
        assert b" 204 " in there.recv(1000)
        there.sendall(CLOSE)
        assert whole(there).count(b" 204 ") == 2


def test_a_process_that_ends_waits_for_nobody_who_still_sends(serve_here):
    head = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    with socket.socket() as there:
        with serve_here(receive_timeout_s=1) as client:
            there.connect((client.base_url.host, client.base_url.port))
            there.sendall(head)
            while "hepatica_requests_in_flight 1.0" not in client.get("/metrics").text:
                time.sleep(0.01)
            began = time.perf_counter()
        assert time.perf_counter() - began < connection.MOST_SECONDS / 2
        assert problem(whole(there)) == (408, "slow-body")


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
