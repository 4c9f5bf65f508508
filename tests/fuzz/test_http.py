"""Bytes that are almost HTTP: each connection gets sound answers or is closed, and none is 500.

On a real socket, in pieces as the network may cut them, with framing that lies.
"""

import json
import logging
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import psutil
import pytest

from service import connection

from ..service.conftest import bundle_folder, serve_here  # noqa: F401 # fixtures

MB = 1 << 20
#: Beyond what the server had at first.
MOST_BYTES = 100 * MB
SECRET = b"SECRET^PATIENT"

#: Ends a connection, if it is understood.
LAST = b"\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

# Of each: what is sound, and what is less so, and rarer.
METHODS = [b"GET", b"POST"], [b"PUT", b"OPTIONS", b"CONNECT", b"get", b"M-SEARCH", SECRET]
TARGETS = (
    [
        b"/livez",
        b"/readyz",
        b"/metrics",
        b"/models",
        b"/docs",
        b"/classify",
        b"/synthesize?class=cyst&seed=1",
        b"/synthesize?class=cyst&seed=1&count=9&format=zip",
        b"/" + SECRET,
    ],
    [b"*", b"//", b"", b"a:80", b"/\xff", b"/%00%ff?" + SECRET, b"http://" + SECRET + b"/livez"],
)
VERSIONS = [b"HTTP/1.1"], [b"HTTP/1.0", b"HTTP/2.0", b"HTTP/1.11", b"http/1.1", b"", SECRET]
HEADERS = (
    [
        b"Host: x",
        b"Host: " + SECRET,
        b"Connection: close",
        b"Connection: keep-alive, " + SECRET,
        b"Connection: upgrade\r\nUpgrade: websocket",
        b"Upgrade: h2c",
        b"Expect: 100-continue",
        b"Content-Type: application/x-npy",
        b"Content-Type: application/json",
        b"Content-Type: multipart/form-data; boundary=" + SECRET,
        b"Content-Encoding: gzip",
        b"Content-Encoding: " + SECRET,
        b"Origin: https://" + SECRET,
        b"Sec-Fetch-Site: cross-site",
        b"Access-Control-Request-Method: x",
        b"Accept: " + SECRET,
        b"Accept: application/dicom",
        b"Trailer: a",
    ],
    [
        b"X:",
        b":x",
        b"X : y",
        b"X\0: y",
        b"X: \0",
        b"X: \xff\xfe",
        b" folded: " + SECRET,
        b"X: y\nY: z",
        b"X",
        b"X: " + b"y" * 70_000,
    ],
)
LENGTHS = [b"5", b"0"], [b"-1", b"+5", b"5,5", b"5 5", b"0x5", b"1e9", b"9" * 20, b""]
CODINGS = [b"chunked", b"Chunked"], [b"gzip, chunked", b"chunked, gzip", b"xchunked", b"a", b""]
SIZES = (
    [b"5", b"05", b"5;a"],
    [b"5 ", b"f" * 15, b"f" * 17, b"-5", b"0x5", b"g", b"", b'5;a="\r\n"'],
)
TRAILERS = [b"", b"a:b\r\n"], [b"a:b\r\n" * 20_000, b"a:" + b"b" * 90_000, b"a\r\n"]


@pytest.fixture
def client(serve_here, monkeypatch):  # noqa: F811
    monkeypatch.setattr(connection, "MOST_SECONDS", 0.5)
    settings = {"allowed_origins": "https://viewer.example", "max_downloads": 99}
    with serve_here(receive_timeout_s=0.5, **settings) as client:
        yield client


def test_what_is_almost_http(client, rng, rounds, caplog):
    caplog.set_level(logging.INFO)
    held = psutil.Process().memory_info().rss
    sent = [connected(rng) for _ in range(rounds)]
    with ThreadPoolExecutor(16) as pool:
        for answers in pool.map(lambda pieces: exchange(client, pieces), sent):
            for status, body in answers:
                assert status < 500, body
                if status >= 400:
                    assert json.loads(body)["type"].startswith("urn:hepatica:problem:")
    assert client.get("/readyz").status_code == 200
    assert psutil.Process().memory_info().rss - held < MOST_BYTES
    check_log(caplog)


def test_a_request_that_is_two_is_refused(client, rng, rounds, caplog):
    """Whichever of its lengths a proxy believes, what it takes for a body is no request to us."""
    sent = [ambiguous(rng) for _ in range(rounds)]
    with ThreadPoolExecutor(16) as pool:
        for answers in pool.map(lambda data: exchange(client, [data]), sent):
            assert [status for status, _ in answers] in ([400], [])
    check_log(caplog)


def check_log(caplog):
    for record in caplog.records:
        if record.name.startswith(("service", "uvicorn.error", "asyncio", "py.warnings")):
            assert SECRET.decode().lower() not in record.getMessage().lower()
            known = record.getMessage() == "Invalid HTTP request received."
            assert record.levelno < logging.WARNING or known, record.getMessage()


def connected(rng):
    """Return the pieces that one connection sends."""
    data = b"\r\n" * int(rng.integers(3)) * bool(rng.random() < 0.1)
    data += b"".join(request(rng) for _ in range(rng.integers(1, 5)))
    if rng.random() < 0.3:
        data = spoilt(rng, data)
    if len(data) < 2 or rng.random() < 0.3:
        return [data]
    cuts = sorted(rng.integers(1, len(data), rng.integers(1, 6)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def request(rng):
    fields = [pick(rng, HEADERS) for _ in range(rng.integers(5))]
    body = rng.bytes(5)
    framing = rng.integers(3)
    if framing == 1:
        fields.append(b"Content-Length: " + pick(rng, LENGTHS))
    elif framing == 2:
        fields.append(b"Transfer-Encoding: " + pick(rng, CODINGS))
        body = chunks(rng)
    line = b" ".join([pick(rng, METHODS), pick(rng, TARGETS), pick(rng, VERSIONS)])
    return b"\r\n".join([line, *fields, b"", b""]) + body * bool(framing)


def chunks(rng):
    some = (pick(rng, SIZES) + b"\r\nabcde\r\n") * int(rng.integers(4))
    many = b"1\r\na\r\n" * 5000 * bool(rng.random() < 0.1)
    end = b"\r\n" * bool(rng.random() < 0.9)
    return some + many + b"0\r\n" + pick(rng, TRAILERS) + end


def spoilt(rng, data):
    at = int(rng.integers(len(data) + 1))
    ways = [
        data[:at],
        data[:at] + rng.bytes(1) + data[at:],
        data[:at] + b"\0" + data[at:],
        data[:at] + data[at + 1 :],
        data.replace(b"\r\n", b"\n"),
        data.replace(b"\r\n", b"\r"),
        data[:at] + data[at:].replace(b"\r\n", b"\n", 1),
        data[at:] + data[:at],
    ]
    return ways[rng.integers(len(ways))]


def ambiguous(rng):
    """Return a request with lengths that contradict each other, and another in its body."""
    hidden = b"GET /models HTTP/1.1\r\nHost: x\r\n\r\n"
    lengths = [b"Content-Length: %d" % size for size in (4, len(hidden) + 5)]
    name = rng.choice([b"Transfer-Encoding", b"transfer-encoding", b"TRANSFER-ENCODING"])
    coding = rng.choice([b"chunked", b"Chunked", b"a, chunked", b"chunked, chunked", b"xchunked"])
    before, after = rng.choice([b"", b" ", b"\t", b"  "], 2)
    pair = [b"%s:%s%s%s" % (name, before, coding, after), lengths[rng.integers(2)]]
    if rng.random() < 0.3:
        pair = lengths
    if rng.random() < 0.5:
        pair.reverse()
    head = b"\r\n".join([b"POST /livez HTTP/1.1", b"Host: x", *pair])
    return head + b"\r\n\r\n0\r\n\r\n" + hidden


def pick(rng, choices):
    sound, rare = choices
    kind = rare if rng.random() < 0.05 else sound
    return kind[rng.integers(len(kind))]


def exchange(client, pieces):
    """Send pieces until the server has heard enough; return each answer's status and body."""
    data = b""
    with socket.create_connection((client.base_url.host, client.base_url.port), 20) as there:
        try:
            for piece in pieces:
                there.sendall(piece)
            there.sendall(LAST)
        except OSError:
            pass  # it has hung up
        try:
            while received := there.recv(65536):
                data += received
        except ConnectionResetError:
            pass
    return list(answered(data))


def answered(data):
    """Read answers until none is left; of none is a byte missing, or too many."""
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        assert end
        assert re.fullmatch(rb"HTTP/1\.1 [1-5]\d\d [A-Za-z -]*", line), line
        assert all(re.fullmatch(rb"[a-z-]+: [\x20-\x7e]*", field) for field in fields), fields
        told = dict(field.split(b": ", 1) for field in fields)
        status = int(line.split()[1])
        if told.get(b"transfer-encoding") == b"chunked":
            body, data = unchunked(data)
        elif status in {100, 204}:
            body = b""
        else:
            size = int(told[b"content-length"])
            assert len(data) >= size
            body, data = data[:size], data[size:]
        yield status, body


def unchunked(data):
    file, body = BytesIO(data), b""
    while size := int(file.readline(), 16):
        body += file.read(size)
        assert file.readline() == b"\r\n"
    assert file.readline() == b"\r\n"
    return body, file.read()
