"""The one process: what it says, with which status it ends, and that nothing of it is left."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

import httpx
import psutil
import pytest
from pydicom.uid import RLELossless

from .conftest import ROOT, SERVICE

DICOM = {"Content-Type": "application/dicom"}


@contextmanager
def begun(*arguments, **settings):
    """Begin to start it, on a port that it says."""
    process = subprocess.Popen(
        [*SERVICE, "--port", "0", *arguments],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("HEPATICA_")}
        | {f"HEPATICA_{name.upper()}": str(value) for name, value in settings.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ended(*arguments, **settings):
    """Return the status with which it ends by itself, and what it says less that it listens."""
    with begun(*arguments, **settings) as process:
        said, _ = process.communicate(timeout=120)
    lines = [json.loads(line) for line in said.splitlines()]
    return process.returncode, [line for line in lines if line.get("message") != "listening"]


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.mark.parametrize("setting", ["batch_size", "probe_port", "max_body_bytes", "provider"])
def test_a_wrong_setting_is_one_line(setting):
    status, (line,) = ended(**{setting: "s3cret"})
    assert (status, line["level"]) == (1, "critical")
    assert f"HEPATICA_{setting.upper()}: " in line["message"]
    assert "s3cret" not in str(line)


def test_a_port_that_is_taken_is_one_line(taken):
    status, (line,) = ended("--port", str(taken))
    assert (status, line["level"]) == (1, "critical")
    assert line["message"] == f"cannot listen at 127.0.0.1:{taken}: Address already in use"


def test_a_port_for_probes_that_is_taken_is_one_line(taken):
    status, (line,) = ended(probe_port=taken)
    assert (status, line["level"]) == (1, "critical")
    assert f"HEPATICA_PROBE_PORT: cannot listen at 127.0.0.1:{taken}" in line["message"]


def test_a_host_that_is_none_is_one_line():
    status, (line,) = ended("--host", "none.invalid")
    assert (status, line["level"]) == (1, "critical")
    assert "none.invalid" in line["message"]


def test_a_bundle_that_is_not_there_is_one_line(tmp_path):
    status, (line,) = ended(bundle=tmp_path / "none")
    assert (status, line["level"]) == (1, "critical")
    assert str(tmp_path / "none") in line["message"]


def test_a_bundle_that_is_refused_is_one_line(bundle_folder, tmp_path):
    shutil.copytree(bundle_folder, tmp_path / "copy")
    (tmp_path / "copy/golden.npz").write_bytes(b"")
    status, (line,) = ended(bundle=tmp_path / "copy")
    assert (status, line["level"]) == (1, "critical")
    assert "golden" in line["message"]


def test_an_unknown_name_is_one_line():
    with begun(batchsize=1, service_host="10.0.0.1", port="tcp://10.0.0.1:80") as process:
        line = next(line for line in map(json.loads, process.stdout) if line["level"] == "warning")
        process.terminate()
        assert "warning" not in process.stdout.read()
    assert "HEPATICA_BATCHSIZE" in line["message"]
    assert line["message"].endswith("the nearest name is HEPATICA_BATCH_SIZE")


def test_a_port_of_no_computer_is_refused():
    with begun("--port", "65536") as process:
        assert "found '65536', expected 0 to 65535" in process.stdout.read()
        assert process.wait(20) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after_s", [0.15, 0.4, 0.8, 1.2, 1.6])
def test_a_signal_ends_a_start(after_s, number):
    with begun() as process:
        time.sleep(after_s)
        process.send_signal(number)
        assert process.wait(60) == 0


@pytest.mark.parametrize("after_s", [0.3, 0.8, 1.6])
def test_a_signal_ends_a_start_as_process_1(after_s, end_as_process_1):
    """The kernel gives it no signal that it does not handle."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert end_as_process_1(f"service --port {port}", after_s, {}) == 0


def test_another_signal_ends_it_at_once(start_server):
    with start_server(max_images=100_000) as server:
        url = server.url + "/synthesize?class=cyst&format=npz&seed=1&count=100000"
        with httpx.Client() as http, http.stream("GET", url, timeout=30) as download:
            parts = download.iter_bytes()
            next(parts)
            server.process.terminate()
            time.sleep(0.5)
            assert server.process.poll() is None
            server.process.terminate()
            assert server.process.wait(20) == 128 + signal.SIGTERM


def test_nothing_is_left_of_it_when_it_is_killed(start_server, make_ct, encode):
    image = make_ct()
    encode(image)
    image.compress(RLELossless)
    with start_server() as server:
        process = psutil.Process(server.process.pid)
        data = encode(image, RLELossless)
        answer = httpx.post(server.url + "/classify?roi=9,9,30,30", content=data, headers=DICOM)
        assert answer.status_code == 200
        decoders = process.children(recursive=True)
        assert decoders
        server.process.kill()
        server.process.wait(20)
        _, left = psutil.wait_procs(decoders, 20)
        assert not left
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.url + "/livez")


def test_it_opens_as_many_files_as_it_may(start_server):
    """Callers who take all that the system suggests would shut out probes, too."""
    few = ("prlimit", "--nofile=100:4000", *SERVICE)
    with start_server(command=few) as server:
        limits = psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_NOFILE)
        assert limits == (4000, 4000)
