"""Who asks for the state of the listener is answered; who only says so takes nothing from it."""

import socket
import time
from contextlib import contextmanager

import httpx
import pytest

from service.dimse import health

from .peers import connected, eventually


@contextmanager
def answering(caplog, host="127.0.0.1"):
    """Answer on a free port; give it."""
    caplog.set_level("INFO")
    stop = health.start(host, 0, {"/livez": health.state(lambda: True)})
    try:
        yield caplog.records[-1].msg["port"]
    finally:
        stop()


def test_one_route(caplog):
    with answering(caplog) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/elsewhere").status_code == 404


def test_ipv6(caplog):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with answering(caplog, "::1") as port:
        assert httpx.get(f"http://[::1]:{port}/livez").status_code == 200


def test_few_callers_at_once(caplog, monkeypatch):
    monkeypatch.setattr(health, "MOST_CALLERS", 2)
    with answering(caplog) as port:
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
    monkeypatch.setattr(health, "ASK_S", 0.3)
    with answering(caplog) as port, connected(port) as slow:
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
