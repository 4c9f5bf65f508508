"""A client that costs little beside the server: prepared bytes, kept connections, no framework.

Each connection sends the same request again as soon as it is answered, so as many are in flight as
there are connections.
"""

import asyncio
import time
from typing import NamedTuple, cast
from urllib.request import Request as UrlRequest
from urllib.request import urlopen

import httptools
import uvloop

from benchmarks.sample import percentiles_ms

HOST = "127.0.0.1"

#: No answer that is measured here takes longer on any machine.
_TIMEOUT_S = 60


class Request(NamedTuple):
    """A GET without, a POST with a body."""

    target: str
    body: bytes = b""
    media_type: str = ""
    accept: str = ""


class Load(NamedTuple):
    """What the client saw. `share` of its core it used itself."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    share: float


def ask(port: int, request: Request) -> bytes:
    """Send one request; return the body of its answer."""
    message = UrlRequest(
        f"http://{HOST}:{port}{request.target}",
        data=request.body or None,
        headers=dict(_headers(request)),
    )
    with urlopen(message, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - the address is ours
        return bytes(answer.read())


def load(port: int, request: Request, *, concurrency: int, seconds: float) -> Load:
    """Ask for that long, and wait for the last answers. Raise `RuntimeError` for any but a 200."""
    return uvloop.run(_load(port, encoded(request), concurrency, seconds))


def encoded(request: Request) -> bytes:
    """Return a request as it goes over the wire (RFC 9112)."""
    lines = [f"{'POST' if request.body else 'GET'} {request.target} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"{name}: {value}" for name, value in _headers(request)]
    if request.body:
        lines.append(f"Content-Length: {len(request.body)}")
    return "\r\n".join([*lines, "\r\n"]).encode("ascii") + request.body


def _headers(request: Request) -> list[tuple[str, str]]:
    accept = [("Accept", request.accept)] if request.accept else []
    return accept + ([("Content-Type", request.media_type)] if request.body else [])


async def _load(port: int, request: bytes, concurrency: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: _Connection(request), HOST, port))[1]
        for _ in range(concurrency)
    ]
    began, cpu_began = time.perf_counter(), time.thread_time()
    try:
        for connection in connections:
            connection.begin(until=began + seconds)
        async with asyncio.timeout(seconds + _TIMEOUT_S):
            await asyncio.gather(*(connection.done for connection in connections))
        elapsed = time.perf_counter() - began
        share = (time.thread_time() - cpu_began) / elapsed
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))
    latencies_s = [latency for connection in connections for latency in connection.latencies_s]
    return Load(len(latencies_s), elapsed, *percentiles_ms(latencies_s), share)


class _Connection(asyncio.Protocol):
    """One connection, one request in flight. `done` is settled at the end of the last answer."""

    def __init__(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        self.latencies_s: list[float] = []
        self.done: asyncio.Future[None] = loop.create_future()
        self._closed: asyncio.Future[None] = loop.create_future()
        self._request = request
        self._parser = httptools.HttpResponseParser(self)

    def begin(self, *, until: float) -> None:
        self._until = until
        self._send()

    async def close(self) -> None:
        self._transport.abort()
        await self._closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Note the answer, as httptools tells of its end."""
        now = time.perf_counter()
        self.latencies_s.append(now - self._sent)
        if (status := self._parser.get_status_code()) != 200:
            self.done.set_exception(RuntimeError(f"answer: found status {status}, expected 200"))
        elif now < self._until:
            self._send()
        else:
            self.done.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        self._closed.set_result(None)
        if not self.done.done():
            self.done.set_exception(RuntimeError("connection: found it lost, expected an answer"))

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._request)
