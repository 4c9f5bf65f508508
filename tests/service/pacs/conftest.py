"""What tests of the PACS side share: a small PACS on a real socket, and a service that knows it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from .fake import FakePacs


@pytest.fixture
def fake(running_fake) -> FakePacs:
    """The PACS, empty and well."""
    running_fake.days, running_fake.seen, running_fake.stored = [], [], []
    running_fake.kept = {}
    return running_fake


@pytest.fixture(scope="session")
def running_fake() -> Iterator[FakePacs]:
    pacs = FakePacs()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            pacs.answer(self)

        do_POST = do_GET  # noqa: N815  # the name that http.server asks for

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pacs.url = f"http://127.0.0.1:{server.server_port}/dicom-web"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield pacs
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def configure(tmp_path_factory) -> Callable[..., Path]:
    """Write a configuration of PACS `archive` at this URL, impatient, with further lines."""

    def write(url: str, *lines: str) -> Path:
        path = tmp_path_factory.mktemp("configuration") / "pacs.toml"
        fixed = [f'url = "{url}"', "read_timeout_s = 0.4", "backoff_s = 0.01"]
        path.write_text("\n".join(["[archive]", *fixed, *lines]))
        return path

    return write


@pytest.fixture(scope="session")
def serving(serve_here, configure, running_fake) -> Callable[..., AbstractContextManager]:
    """Serve with the fake PACS configured as `archive`."""

    @contextmanager
    def serve(*lines: str, url: str = "", **settings: object) -> Iterator[object]:
        with serve_here(pacs=configure(url or running_fake.url, *lines), **settings) as client:
            yield client

    return serve


@pytest.fixture(scope="session")
def client(serving) -> Iterator[object]:
    """A client of a service that knows the fake PACS, and may store there."""
    with serving("store = true") as client:
        yield client
