"""TLS with a real handshake: whom we trust, and who we are."""

import asyncio
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
import trustme
from pydicom.uid import SecondaryCaptureImageStorage

from service.dimse.peers import Target
from service.dimse.send import store as store_at_ae
from service.pacs.client import Client
from service.pacs.config import Pacs
from service.problems import PacsConnectionError
from service.report.objects import Made

from ..dimse.peers import TargetAE
from .fake import FakePacs

FILE = bytes(128) + b"DICM" + b"body"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def files(authority, tmp_path):
    """The authority's certificate, and one of ours with its key, by the names of settings."""
    ours = authority.issue_cert("hepatica.example")
    names = ("ca_bundle", "client_certificate", "client_key")
    paths = {name: tmp_path / name for name in names}
    authority.cert_pem.write_to_path(paths["ca_bundle"])
    ours.cert_chain_pems[0].write_to_path(paths["client_certificate"])
    ours.private_key_pem.write_to_path(paths["client_key"])
    return paths


def context(authority, host="127.0.0.1", *, ask=False):
    """The server's side, which may ask who we are."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(made)
    if ask:
        made.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(made)
    return made


@pytest.fixture
def pacs():
    """Start a PACS behind TLS; return it."""
    servers = []

    def start(tls):
        fake = FakePacs()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                fake.answer(self)

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # handshakes that were refused

        server = Server(("127.0.0.1", 0), Handler)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        fake.url = f"https://127.0.0.1:{server.server_port}/dicom-web"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        servers.append((server, thread))
        return fake

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def store(fake, **named):
    """Store a file, patiently: a handshake on a busy machine takes its time."""

    async def go():
        client = Client("archive", Pacs(url=fake.url, retries=0, **named))
        try:
            await client.store(FILE)
        finally:
            await client.close()

    asyncio.run(go())


def test_a_pacs_whose_authority_is_named_is_trusted(pacs, authority, files):
    fake = pacs(context(authority))
    store(fake, ca_bundle=files["ca_bundle"])
    assert len(fake.stored) == 1


def test_an_authority_that_is_not_named_is_not(pacs, authority):
    fake = pacs(context(authority))
    with pytest.raises(PacsConnectionError):
        store(fake)
    assert not fake.seen


def test_nor_is_the_certificate_of_another_host(pacs, authority, files):
    fake = pacs(context(authority, "other.example"))
    with pytest.raises(PacsConnectionError):
        store(fake, ca_bundle=files["ca_bundle"])
    assert not fake.seen


def test_a_pacs_that_asks_who_we_are_is_told(pacs, authority, files):
    fake = pacs(context(authority, ask=True))
    with pytest.raises(PacsConnectionError):
        store(fake, ca_bundle=files["ca_bundle"])
    store(fake, **files)
    assert len(fake.stored) == 1


def test_a_refusal_that_comes_after_the_handshake_is_one(monkeypatch):
    """Whether it is seen while we write or while we read is a race: here it is the latter."""

    async def send(*_, **__):
        raise ssl.SSLError("tlsv13 alert certificate required")

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    with pytest.raises(PacsConnectionError):
        store(FakePacs(url="https://pacs.example"))


@pytest.fixture
def report(make_ct, encode):
    """Something to store: what it is does not matter here."""
    ct = make_ct()
    ct.SOPClassUID = SecondaryCaptureImageStorage
    return Made("capture", str(ct.SOPClassUID), "1", "1", str(ct.SOPInstanceUID), encode(ct))


@pytest.mark.parametrize("known", [True, False])
def test_reports_go_to_an_ae_over_tls_alone(authority, files, report, known):
    ae = TargetAE()
    ae.start(tls=context(authority, "127.0.0.1" if known else "other.example", ask=True))
    target = Target(ae_title="TARGET", host="127.0.0.1", port=ae.port, tls=True, **files)
    try:
        if known:
            store_at_ae([report], target, ae_title="HEPATICA", timeout_s=5, deadline_s=60)
            assert ae.received.get(timeout=5).SOPInstanceUID == report.instance
        else:
            with pytest.raises(PacsConnectionError):
                store_at_ae([report], target, ae_title="HEPATICA", timeout_s=5, deadline_s=60)
    finally:
        ae.stop()
