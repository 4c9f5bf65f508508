"""No client can make the service hold more, or wait longer, than its settings say."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

NPY = {"Content-Type": "application/x-npy"}
PATCH = np.zeros((64, 64), np.float32)


def kind(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:hepatica:problem:")


def trickle(data, pause_s):
    yield data[:10]
    time.sleep(pause_s)
    yield data[10:]


def held_back(data, gate):
    yield data[:10]
    assert gate.wait(20)
    yield data[10:]


def await_metric(client, sample):
    until = time.monotonic() + 20
    while sample not in client.get("/metrics").text:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_body_size(serve_here, npy):
    data = npy(PATCH)
    with serve_here(max_body_bytes=len(data)) as client:
        ask = lambda content: client.post("/classify", content=content, headers=NPY)  # noqa: E731
        assert ask(data).status_code == 200
        assert kind(ask(data + b"x")) == (413, "too-large")
        assert kind(ask(iter([data, b"x"]))) == (413, "too-large")
        assert ask(iter([data])).status_code == 200


def test_a_lie_about_the_length_is_not_believed(client):
    """A negative or absent-minded Content-Length is the HTTP parser's affair: no answer hangs."""
    host, port = client.base_url.host, client.base_url.port
    for length in (b"-5", b"1e9", b"99999999999999999999"):
        with socket.create_connection((host, port), timeout=5) as connection:
            connection.sendall(
                b"POST /classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-npy\r\n"
                b"Content-Length: " + length + b"\r\n\r\n"
            )
            assert b" 4" in connection.recv(1000)[:13]


@pytest.fixture
def slow(npy):
    """Ask from another thread, with a body that is held back until its gate is opened."""
    gate = threading.Event()

    def ask(client):
        return pool.submit(
            client.post, "/classify", content=held_back(npy(PATCH), gate), headers=NPY
        ), gate

    with ThreadPoolExecutor() as pool:
        yield ask
        gate.set()


def test_all_bodies_together(serve_here, npy, slow):
    data = npy(PATCH)
    size = {"max_held_bytes": len(data) + 5, "max_body_bytes": len(data)}
    with serve_here(**size) as client:
        answer, gate = slow(client)
        await_metric(client, "hepatica_held_bytes 10.0")
        assert kind(client.post("/classify", content=data, headers=NPY)) == (503, "busy")
        gate.set()
        assert answer.result().status_code == 200
        assert client.post("/classify", content=data, headers=NPY).status_code == 200
        assert "hepatica_held_bytes 0.0" in client.get("/metrics").text


def test_requests_at_once(serve_here, npy, slow):
    with serve_here(max_requests=1, retry_after_s=7) as client:
        answer, gate = slow(client)
        await_metric(client, "hepatica_requests_in_flight 1.0")
        refused = client.post("/classify", content=npy(PATCH), headers=NPY)
        assert kind(refused) == (503, "busy")
        assert refused.headers["Retry-After"] == "7"
        for path in ("/livez", "/readyz", "/metrics"):
            assert client.get(path).status_code == 200
        gate.set()
        assert answer.result().status_code == 200


def test_a_body_that_comes_too_slowly(serve_here, npy):
    with serve_here(receive_timeout_s=0.5) as client:
        answer = client.post("/classify", content=trickle(npy(PATCH), 1.0), headers=NPY)
        assert kind(answer) == (408, "slow-body")
        assert client.post("/classify", content=npy(PATCH), headers=NPY).status_code == 200


def test_a_reader_that_stops_reading(serve_here):
    """Its place is given to another."""
    url = "/synthesize?class=cyst&format=npz&seed=1&count=100000"
    few = {"send_timeout_s": 0.2, "max_downloads": 1, "max_images": 100_000}
    with serve_here(**few) as client, client.stream("GET", url) as stalled:
        next(stalled.iter_raw())
        until = time.monotonic() + 20
        while client.get("/synthesize?class=cyst").status_code == 503:
            assert time.monotonic() < until
            time.sleep(0.1)


def test_a_crowd_is_answered_or_told_to_come_again(serve_here, npy):
    """No request is lost, and none left hanging."""
    data, four = npy(PATCH), "&".join(["roi=9,9,50,50"] * 4)
    with serve_here(max_queued=4, max_lesions=4, batch_size=1, max_requests=24) as client:

        def ask(_):
            return client.post(f"/classify?{four}", content=data, headers=NPY)

        with ThreadPoolExecutor(48) as crowd:
            answers = list(crowd.map(ask, range(60)))
        metrics = client.get("/metrics").text
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert kind(answer) == (503, "busy")
            assert answer.headers["Retry-After"] == "1"
    assert f'route="/classify",status="2xx"}} {statuses.count(200)}.0' in metrics
    assert "hepatica_requests_in_flight 0.0" in metrics
    assert 'hepatica_queue_depth{queue="classify"} 0.0' in metrics


def test_an_answer_that_takes_too_long(serve_here, make_ct, encode):
    data = encode(make_ct(np.zeros((512, 512))))
    with serve_here(answer_timeout_s=0.0001) as client:
        answer = client.post(
            "/classify?roi=9,9,99,99", content=data, headers={"Content-Type": "application/dicom"}
        )
        assert kind(answer) == (503, "busy")
        assert client.get("/synthesize?class=cyst").status_code == 200
