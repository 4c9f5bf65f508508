"""The real command and the real transport: what shows only between processes."""

import json
import socket
import time
from contextlib import closing
from http.client import HTTPConnection
from importlib.metadata import version

import httpx
import numpy as np
import psutil
import pytest

from .conftest import BENTO, SERVICE

PATCH = np.random.default_rng(0).normal(60, 30, (64, 64)).astype(np.float32)
NPY = {"Content-Type": "application/x-npy"}


@pytest.fixture(scope="module", params=[SERVICE, BENTO], ids=["one process", "bento"])
def started(request, start_server):
    """Start the service in each way that operators do, with a port for probes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with start_server(command=request.param, probe_port=port) as server:
        yield server, f"http://127.0.0.1:{port}"


def test_bentoml_lets_us_answer_ahead_of_it(started):
    """The contract with BentoML that `service.bento` rests on."""
    assert version("bentoml").startswith("1.4.")
    server, _ = started
    with httpx.Client(base_url=server.url) as http:
        for path in ("/healthz", "/schema.json", "/docs.json", "/static_content/index.css"):
            answer = http.get(path)
            assert answer.status_code == 404
            assert answer.json()["type"] == "urn:hepatica:problem:not-found"
            assert "bentoml" not in str(answer.headers).lower()
        assert http.get("/livez").json() == {"alive": True}
        assert http.get("/readyz").json()["model"]["digest"]
        assert "hepatica_ready 1.0" in http.get("/metrics").text
        assert "bentoml" not in http.get("/metrics").text
        assert http.get("/").headers["location"] == "docs"


def test_probes_have_a_port_of_their_own(started):
    _, probes = started
    assert httpx.get(probes + "/livez").status_code == 200
    assert httpx.get(probes + "/readyz").status_code == 200
    assert "hepatica_ready 1.0" in httpx.get(probes + "/metrics").text
    assert httpx.get(probes + "/models").status_code == 404


def test_nothing_has_torch_or_reports_to_anybody(started):
    server, _ = started
    first = psutil.Process(server.process.pid)
    processes = [first, *first.children(recursive=True)]
    loaded = {file.path for process in processes for file in process.memory_maps()}
    assert any("onnxruntime" in path for path in loaded)
    assert not any("/torch/" in path for path in loaded)
    assert "Tracking" not in server.output.read_text()
    for process in processes:
        remote = [c.raddr.ip for c in process.net_connections("inet") if c.raddr]
        assert set(remote) <= {"127.0.0.1"}


def test_all_that_is_logged_is_json_and_logged_once(started):
    """By uvicorn and BentoML too, in the worker and in the process that started it."""
    server, _ = started
    before = len(server.output.read_text().splitlines())
    with socket.create_connection((httpx.URL(server.url).host, httpx.URL(server.url).port)) as raw:
        raw.sendall(b"GET \1 HTTP/1.1\r\n\r\n")
        assert b" 400 " in raw.recv(1000)
    lines = [json.loads(line) for line in server.output.read_text().splitlines()]
    assert all({"time", "level", "logger"} <= line.keys() for line in lines)
    assert {"service.probes", "service.runtime"} <= {line["logger"] for line in lines}
    (invalid,) = [line for line in lines[before:] if line["logger"] == "uvicorn.error"]
    assert (invalid["level"], invalid["message"]) == ("warning", "Invalid HTTP request received.")


def test_an_idle_connection_outlives_those_in_a_proxys_pool(started):
    """Proxies keep theirs for 60 s; uvicorn closes after 5."""
    server, _ = started
    with closing(HTTPConnection(httpx.URL(server.url).netloc.decode(), timeout=20)) as connection:
        for pause_s in (0, 6):
            time.sleep(pause_s)
            connection.request("GET", "/livez")  # that it had been closed would show in the answer
            assert connection.getresponse().read() == b'{"alive":true}'


def test_one_answer_over_the_wire(server, npy, bundle):
    answer = httpx.post(server.url + "/classify", content=npy(PATCH), headers=NPY).json()
    assert answer["model"]["digest"] == bundle.digest
    assert answer["disclaimer"] == bundle.manifest.intended_use


def test_a_body_too_large_is_refused_unread(server, npy):
    worker = psutil.Process(server.process.pid)
    before = worker.memory_info().rss
    began = time.perf_counter()

    def zeros():
        for _ in range(200):
            yield bytes(1024 * 1024)

    declared = httpx.post(
        server.url + "/classify", content=zeros(), headers={**NPY, "Content-Length": str(200 << 20)}
    )
    chunked = httpx.post(server.url + "/classify", content=zeros(), headers=NPY)

    for answer in (declared, chunked):
        assert answer.status_code == 413
        assert answer.json()["type"] == "urn:hepatica:problem:too-large"
    assert time.perf_counter() - began < 5
    assert worker.memory_info().rss - before < 100 << 20
    assert httpx.post(server.url + "/classify", content=npy(PATCH), headers=NPY).status_code == 200


@pytest.mark.parametrize("command", [SERVICE, BENTO], ids=["one process", "bento"])
def test_sigterm_finishes_what_runs_and_refuses_what_is_new(start_server, command):
    with socket.create_server(("127.0.0.1", 0)) as free:
        probes = f"http://127.0.0.1:{free.getsockname()[1]}"
    settings = {"max_images": 100_000, "probe_port": httpx.URL(probes).port}
    with start_server(command=command, **settings) as server:
        url = server.url + "/synthesize?class=cyst&format=npz&seed=1&count=4000"
        with httpx.Client() as http, http.stream("GET", url, timeout=30) as download:
            parts = download.iter_bytes()
            size = len(next(parts))
            server.process.terminate()
            time.sleep(0.5)
            with pytest.raises(httpx.ConnectError):
                httpx.get(server.url + "/livez")
            assert httpx.get(probes + "/livez").status_code == 200
            assert httpx.get(probes + "/readyz").status_code == 503
            size += sum(map(len, parts))
        assert size > 4000 * 64 * 64 * 2
        assert server.process.wait(30) == 0
        assert "Tracking" not in server.output.read_text()
        lines = [json.loads(line) for line in server.output.read_text().splitlines()]
        assert [line["status"] for line in lines if line.get("route") == "/synthesize"] == [200]
        assert not [line for line in lines if line["level"] in {"error", "critical"}]
