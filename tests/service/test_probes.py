"""Who asks for a process's state is answered at once; who only says so takes nothing from it."""

import asyncio
import socket
import time
from contextlib import contextmanager
from threading import Event, Thread

import httpx
import pytest

from service import probes

from .dimse.peers import connected, eventually


@contextmanager
def answering(caplog, host="127.0.0.1", *, ready=lambda: True):
    """Answer on a free port for the event loop of a thread; give the port and the loop."""
    caplog.set_level("INFO")
    loop = asyncio.new_event_loop()
    begun = Event()

    async def begin():
        stop = probes.serve(host, 0, ready=ready, metrics=lambda: b"some 1\n")
        loop.call_soon(begun.set)
        return stop

    def run():
        stop = loop.run_until_complete(begin())
        loop.run_forever()
        stop()
        loop.close()

    thread = Thread(target=run)
    thread.start()
    try:
        assert begun.wait(20)
        yield caplog.records[-1].msg["port"], loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)


def test_each_route(caplog):
    state = {"ready": False}
    with answering(caplog, ready=lambda: state["ready"]) as (port, _):
        ask = lambda path: httpx.get(f"http://127.0.0.1:{port}{path}")  # noqa: E731
        assert ask("/livez").status_code == 200
        assert ask("/readyz").status_code == 503
        state["ready"] = True
        assert ask("/readyz").status_code == 200
        assert ask("/metrics").text == "some 1\n"
        assert ask("/elsewhere").status_code == 404


def test_a_loop_that_stands_still_is_taken_for_dead(caplog, monkeypatch):
    monkeypatch.setattr(probes, "ALIVE_S", 0.2)
    monkeypatch.setattr(probes, "_BEAT_S", 0.01)
    done = Event()
    with answering(caplog) as (port, loop):
        assert is_answered(port)
        loop.call_soon_threadsafe(done.wait, 20)
        assert eventually(lambda: not is_answered(port))
        done.set()
        assert eventually(lambda: is_answered(port))


def test_load_alone_is_not_taken_for_death():
    """A loop with a thousand connections before it beats late, by seconds (docs/performance.md)."""
    assert probes.ALIVE_S >= 30


def test_ipv6(caplog):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with answering(caplog, "::1") as (port, _):
        assert httpx.get(f"http://[::1]:{port}/livez").status_code == 200


def test_few_callers_at_once(caplog, monkeypatch):
    monkeypatch.setattr(probes, "MOST_CALLERS", 2)
    with answering(caplog) as (port, _):
        with connected(port), connected(port):
            time.sleep(0.3)
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/livez")
        assert eventually(lambda: is_answered(port))


def is_answered(port):
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
    except httpx.TransportError:
        return False


def test_a_caller_that_drips_is_given_up(caplog, monkeypatch):
    monkeypatch.setattr(probes, "REQUEST_TIMEOUT_S", 0.3)
    with answering(caplog) as (port, _), connected(port) as slow:
        slow.settimeout(0.05)
        began = time.monotonic()
        while time.monotonic() - began < 20:
            try:
                slow.sendall(b"G")
                if not slow.recv(1):
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert time.monotonic() - began < 15


@pytest.mark.parametrize("asked", ["GET /elsewhere", "PUT<b> /livez", "GET /" + "x" * 70_000])
def test_no_answer_is_a_page_or_a_callers_own_word(caplog, asked):
    with answering(caplog) as (port, _), connected(port) as caller:
        caller.sendall(f"{asked} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: caller.recv(4096), b"")).partition(b"\r\n\r\n")
    assert b"X-Content-Type-Options: nosniff" in head
    assert b"Python" not in head
    assert body == b""
