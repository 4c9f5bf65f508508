"""The bento: built as bentofile.yaml says, served away from the checkout, asked once."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
BENTOML = Path(sys.executable).with_name("bentoml")


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a bento, moved out of the store that it was built in."""
    home = tmp_path_factory.mktemp("bentoml")
    uv = home / "bin/uv"  # looked for, and never run: the packages are locked already
    uv.parent.mkdir()
    uv.symlink_to("/bin/false")
    subprocess.run(
        [BENTOML, "build", "--output", "tag", "--version", "1"],
        cwd=ROOT,
        env=os.environ
        | {
            "BENTOML_HOME": str(home),
            "BENTOML_DO_NOT_TRACK": "True",
            "PATH": f"{uv.parent}:{os.environ['PATH']}",
        },
        check=True,
        capture_output=True,
    )
    return (home / "bentos/hepatica/1").rename(home / "bento")


@pytest.fixture(scope="module", params=["bentoml serve", "python -m service"])
def server(bento: Path, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Serve the bento with BentoML's command, and as the image does."""
    command, folder = {
        "bentoml serve": ([BENTOML, "serve", bento], bento.parent),
        "python -m service": ([sys.executable, "-m", "service"], bento / "src"),
    }[request.param]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("HEPATICA_")}
        | {"BENTOML_HOME": str(bento.parent), "BENTOML_DO_NOT_TRACK": "True"},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            wait_until_ready(client)
            yield client
    finally:
        process.terminate()
        assert process.wait(timeout=30) == 0


def wait_until_ready(client: httpx.Client, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if client.get("/readyz").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail(f"the bento was not ready after {seconds} s")


def test_a_bento_carries_what_serves_and_nothing_else(bento: Path) -> None:
    source = bento / "src"
    assert {path.name for path in source.iterdir()} <= {
        "bentofile.yaml", "lesion", "models", "requirements", "service"
    }  # fmt: skip
    for room in ("lesion", "service", "models/default"):
        tracked = {p.relative_to(ROOT) for p in (ROOT / room).rglob("*") if p.is_file()}
        carried = {p.relative_to(source) for p in (source / room).rglob("*") if p.is_file()}
        missing = {p for p in tracked - carried if p.suffix == ".py" or room == "models/default"}
        assert not missing


def test_a_bento_has_the_locked_packages(bento: Path) -> None:
    lock = (ROOT / "requirements/serve.txt").read_text()
    hashes = [word for word in lock.split() if word.startswith("--hash=")]
    carried = (bento / "env/python/requirements.txt").read_text().split()
    assert [word for word in carried if word.startswith("--hash=")] == hashes


def test_a_bento_answers(server: httpx.Client) -> None:
    body = BytesIO()
    np.save(body, np.full((64, 64), 60, np.float32))
    answer = server.post(
        "/classify", content=body.getvalue(), headers={"content-type": "application/x-npy"}
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    (lesion,) = answer.json()["lesions"]
    assert sum(lesion["probabilities"].values()) == pytest.approx(1)
