"""A thousand connections of half a megabyte each: who probes is answered ahead of them."""

import resource
import socket

import httpx
import pytest

from benchmarks.client import Request
from benchmarks.overload import EXAMPLE, ROI, measure

CONNECTIONS = 1000


@pytest.fixture
def many_files():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] < 4 * CONNECTIONS:
        pytest.skip("too few files may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_probes_do_not_queue_behind_requests(start_server, many_files):
    with socket.create_server(("127.0.0.1", 0)) as free:
        probe_port = free.getsockname()[1]
    request = Request(f"/classify?roi={ROI}", EXAMPLE.read_bytes(), "application/dicom")
    with start_server(probe_port=probe_port) as server:
        port = httpx.URL(server.url).port
        ports = {"requests": port, "probes": probe_port}
        probed, answers = measure(port, ports, request, connections=CONNECTIONS, seconds=4)
        assert None not in probed["probes"]
        assert max(probed["probes"]) < max(probed["requests"])
        assert set(answers) <= {"200", "503"}
        assert answers["200"] > 0
        assert answers["503"] > 0
        assert httpx.get(server.url + "/livez", timeout=60).status_code == 200


def test_what_is_refused_is_not_read(serve_here):
    """To read it would cost more than to answer: a full service would answer fewer."""
    with serve_here(max_requests=1) as client:
        address = (client.base_url.host, client.base_url.port)
        post = b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        with socket.create_connection(address) as first, socket.create_connection(address) as more:
            first.sendall(post)
            while "hepatica_requests_in_flight 1.0" not in client.get("/metrics").text:
                pass
            more.settimeout(20)
            more.sendall(post)
            answer = b"".join(iter(lambda: more.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"\r\nconnection: close\r\n" in answer.lower()
