"""What the service's tests share: the bundle, a server in this process or its own, validators."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Thread

import httpx
import numpy as np
import psutil
import pytest
import uvicorn
from jsonschema import Draft202012Validator

from lesion.bundle.read import Bundle, read
from service import connection
from service.app import create
from service.settings import Settings

ROOT = Path(__file__).parents[2]

#: How operators start the service: in one process, or as a bento.
SERVICE = (sys.executable, "-m", "service")
BENTO = (str(Path(sys.executable).with_name("bentoml")), "serve", "service.bento:Hepatica")

_PIXELMED = Path("/usr/share/java/pixelmed.jar")
# Newer Java runtimes bound what an XPath may cost; the validator's rules need more.
_UNBOUND = [f"-Djdk.xml.xpath{limit}Limit=0" for limit in ("TotalOp", "ExprOp", "ExprGrp")]


@pytest.fixture(scope="session")
def bundle_folder() -> Path:
    """Any valid bundle will do; the committed one unless another is named."""
    return ROOT / os.environ.get("HEPATICA_BUNDLE", "models/default")


@pytest.fixture(scope="session")
def bundle(bundle_folder) -> Bundle:
    return read(bundle_folder)


@pytest.fixture(scope="session")
def serve_here(bundle_folder) -> Callable[..., AbstractContextManager[httpx.Client]]:
    """Serve the application from a thread of this process, with settings of its own.

    Over a real socket, and where every call's types and shapes are checked.
    """

    @contextmanager
    def serve(*, await_ready: bool = True, **settings: object) -> Iterator[httpx.Client]:
        chosen = Settings(**{"bundle": bundle_folder, **settings})
        http = connection.bounded(chosen.send_timeout_s, chosen.keep_alive_s)
        config = uvicorn.Config(create(chosen), http=http, lifespan="on", log_config=None)
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                with httpx.Client(base_url=url, timeout=20) as client:
                    while await_ready and client.get("/readyz").status_code != 200:
                        time.sleep(0.01)
                    yield client
            finally:
                server.should_exit = True
                thread.join()

    return serve


@pytest.fixture(scope="session")
def client(serve_here) -> Iterator[httpx.Client]:
    with serve_here(max_images=100) as client:
        yield client


@dataclass
class Server:
    """A server in a process of its own, or in BentoML's two."""

    url: str
    process: subprocess.Popen[bytes]
    output: Path

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@pytest.fixture(scope="session")
def start_server(bundle_folder, tmp_path_factory) -> Callable[..., AbstractContextManager[Server]]:
    """Start a command that operators start, on a free port of this machine alone."""

    @contextmanager
    def start(*, command: tuple[str, ...] = SERVICE, **settings: object) -> Iterator[Server]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        output = tmp_path_factory.mktemp("server") / "output"
        environment = {
            **os.environ,
            "HEPATICA_BUNDLE": str(bundle_folder),
            **{f"HEPATICA_{name.upper()}": str(value) for name, value in settings.items()},
            "__BENTOML_DEBUG_USAGE": "True",  # print what would be reported to BentoML's makers
        }
        environment.pop("BENTOML_DO_NOT_TRACK", None)
        with output.open("wb") as log:
            process = subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = Server(f"http://127.0.0.1:{port}", process, output)
        try:
            _await_ready(server)
            yield server
        finally:
            if process.poll() is None:
                server.stop()

    return start


@pytest.fixture
def end_as_process_1() -> Callable[[str, float, dict[str, str]], int]:
    """Begin to start a module as process 1 of a namespace, as in a container; return its status.

    SIGTERM comes when `after_s` seconds have passed.
    """
    if os.geteuid() != 0:
        pytest.skip("a process namespace of its own needs root")

    def end(module: str, after_s: float, environment: dict[str, str]) -> int:
        process = subprocess.Popen(
            ["unshare", "--fork", "--pid", "--mount-proc", sys.executable, "-m", *module.split()],
            cwd=ROOT,
            env=os.environ | environment,
        )
        try:
            until = time.monotonic() + 20
            while not (children := psutil.Process(process.pid).children()):
                assert time.monotonic() < until
            time.sleep(after_s)
            children[0].send_signal(signal.SIGTERM)
            return process.wait(60)
        finally:
            process.kill()

    return end


def _await_ready(server: Server) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.process.poll() is None:
        try:
            if httpx.get(server.url + "/readyz").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"never ready:\n{server.output.read_text()}")


@pytest.fixture(scope="session")
def server(start_server) -> Iterator[Server]:
    with start_server() as server:
        yield server


@pytest.fixture(scope="session")
def npy() -> Callable[[np.ndarray], bytes]:
    def encode(array: np.ndarray) -> bytes:
        file = BytesIO()
        np.save(file, array)
        return file.getvalue()

    return encode


@pytest.fixture(scope="session")
def validate() -> Callable[[dict, dict, object], None]:
    """Validate a value against a schema of the OpenAPI description."""

    def validate(described: dict, schema: dict, value: object) -> None:
        Draft202012Validator(schema | {"components": described["components"]}).validate(value)

    return validate


@pytest.fixture(scope="session")
def http(server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


@pytest.fixture
def dciodvfy(tmp_path) -> Callable[[bytes], str]:
    """Validate a file against its IOD; return the errors."""

    def validate(data: bytes) -> str:
        path = tmp_path / "validated.dcm"
        path.write_bytes(data)
        tool = Path(sys.executable).with_name("dciodvfy")
        done = subprocess.run([tool, path], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert said.strip()  # it names the IOD, at least
        return "\n".join(line for line in said.splitlines() if "Error" in line)

    return validate


@pytest.fixture
def pixelmed(tmp_path) -> Callable[[bytes], str]:
    """Validate an SR against its template (PixelMed); return all that it says. Or skip."""
    java = shutil.which("java")
    if java is None or not _PIXELMED.exists():
        pytest.skip("no java, or no PixelMed (Debian: libpixelmed-java, default-jre-headless)")

    def validate(data: bytes) -> str:
        path = tmp_path / "validated.dcm"
        path.write_bytes(data)
        validator = "com.pixelmed.validate.DicomSRValidator"
        command = [java, *_UNBOUND, "-cp", _PIXELMED, validator, path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    return validate
