"""What an operator may choose, and what not."""

import pytest
from pydantic import ValidationError

from service.dimse.settings import ListenerSettings

from .conftest import peers_file


@pytest.fixture
def peers(tmp_path):
    path = tmp_path / "peers.toml"
    path.write_text(peers_file(104))
    return path


def test_the_environment(peers, monkeypatch):
    monkeypatch.setenv("HEPATICA_DIMSE_PEERS", str(peers))
    monkeypatch.setenv("HEPATICA_DIMSE_AE_TITLE", "LIVER AI")
    settings = ListenerSettings()
    assert settings.ae_title == "LIVER AI"
    assert (settings.host, settings.http_host) == ("127.0.0.1", "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peers", "/nowhere"),
        ("ae_title", "A\\B"),
        ("ae_title", ""),
        ("port", 70_000),
        ("max_associations", 0),
        ("max_object_bytes", 1 << 40),
        ("quiet_s", 0),
        ("retention_s", float("inf")),
    ],
)
def test_what_is_out_of_range(peers, name, value):
    with pytest.raises(ValidationError) as refused:
        ListenerSettings(**{"peers": peers, name: value})
    assert name in str(refused.value)
