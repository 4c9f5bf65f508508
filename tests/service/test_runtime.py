"""A server is ready when its bundle has been checked and tested, and not before."""

import logging
import shutil
import time

import numpy as np
import pytest

import service.runtime

NPY = {"Content-Type": "application/x-npy"}


@pytest.fixture
def copy(bundle_folder, tmp_path):
    return shutil.copytree(bundle_folder, tmp_path / "bundle")


def refusal(client, caplog):
    until = time.monotonic() + 20
    while not (told := [r.getMessage() for r in caplog.records if r.name == "service.runtime"]):
        assert time.monotonic() < until
        time.sleep(0.01)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:hepatica:problem:not-ready"
    assert client.get("/livez").status_code == 200
    assert client.get("/synthesize?class=cyst").status_code == 503
    assert "hepatica_ready 0.0" in client.get("/metrics").text
    return told[0]


@pytest.mark.parametrize("name", ["classifier.onnx", "manifest.json", "golden.npz"])
def test_a_bundle_that_was_tampered_with(serve_here, copy, caplog, name):
    damaged = bytearray((copy / name).read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    (copy / name).write_bytes(damaged)
    with serve_here(bundle=copy, await_ready=False) as client:
        assert name in refusal(client, caplog)


def test_a_bundle_that_is_missing(serve_here, tmp_path, caplog):
    with serve_here(bundle=tmp_path / "none", await_ready=False) as client:
        assert "none" in refusal(client, caplog)


def test_cuda_where_there_is_none(serve_here, caplog):
    with serve_here(provider="cuda", await_ready=False) as client:
        assert "cuda" in refusal(client, caplog).lower()


def test_a_fault_while_loading(serve_here, caplog, monkeypatch):
    monkeypatch.setattr(service.runtime, "read", lambda _: 1 / 0)
    with serve_here(await_ready=False) as client:
        refusal(client, caplog)
    (record,) = [r for r in caplog.records if r.levelno == logging.CRITICAL]
    assert record.exc_info


def test_alive_but_not_ready_while_loading(serve_here, npy, monkeypatch):
    read = service.runtime.read
    monkeypatch.setattr(service.runtime, "read", lambda folder: time.sleep(0.5) or read(folder))
    with serve_here(await_ready=False) as client:
        assert client.get("/livez").status_code == 200
        early = client.post("/classify", content=npy(np.zeros((64, 64))), headers=NPY)
        assert early.status_code == 503
        assert early.headers["Retry-After"] == "1"
        assert "loading" in client.get("/readyz").json()["detail"]
        while client.get("/readyz").status_code != 200:
            time.sleep(0.01)
