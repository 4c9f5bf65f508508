"""What is wrong in the environment stops the start; what means nothing is warned of."""

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings, SettingsConfigDict

from service import environment
from service.dimse.settings import ListenerSettings
from service.settings import Settings

ROOT = Path(__file__).parents[2]
NAMES = {f"HEPATICA_{name.upper()}" for name in Settings.model_fields}
DIMSE = {f"HEPATICA_DIMSE_{name.upper()}" for name in ListenerSettings.model_fields}

LINKS = [
    f"HEPATICA_{link}"
    for service in ("", "LISTENER_", "TEST_")
    for link in (
        f"{service}SERVICE_HOST",
        f"{service}SERVICE_PORT",
        f"{service}SERVICE_PORT_HTTP",
        f"{service}PORT",
        f"{service}PORT_80_TCP",
        f"{service}PORT_80_TCP_PROTO",
        f"{service}PORT_80_TCP_PORT",
        f"{service}PORT_53_UDP_ADDR",
    )
]


def unknown(names, known=NAMES):
    return environment.unknown(dict.fromkeys(names, "s3cret"), known)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("HEPATICA_BATCHSIZE", "HEPATICA_BATCH_SIZE"),
        ("HEPATICA_BUNDEL", "HEPATICA_BUNDLE"),
        ("HEPATICA_STRICTLY", "HEPATICA_STRICT"),
        ("HEPATICA_RECEIVE_TIMEOUT", "HEPATICA_RECEIVE_TIMEOUT_S"),
        ("HEPATICA_PROBES_PORT", "HEPATICA_PROBE_PORT"),
        ("HEPATICA_DIMS_PEERS", "HEPATICA_DIMSE_PEERS"),
        ("HEPATICA_DIMSE_QUIET", "HEPATICA_DIMSE_QUIET_S"),
        ("hepatica_bundel", "HEPATICA_BUNDLE"),
    ],
)
def test_what_means_nothing_comes_with_the_nearest_name(name, nearest):
    assert unknown([name], NAMES | DIMSE) == {name.upper(): nearest}


def test_what_means_something_is_known():
    for known in (NAMES, NAMES | DIMSE):
        assert unknown([*NAMES, *DIMSE, "hepatica_bundle", "PATH", "HEPATICAL"], known) == {}


def test_what_kubernetes_injects_is_known_and_means_nothing():
    assert unknown(LINKS) == {}
    assert not NAMES & set(LINKS)
    assert set(unknown(["HEPATICA_TEST_PORT"])) == {"HEPATICA_TEST_PORT"}  # of no Service


def test_what_documents_and_scripts_name_is_known():
    alone = [ROOT / name for name in ("README.md", "Makefile", "Dockerfile", ".ci/run")]
    named = {
        name
        for path in [*alone, *(ROOT / "docs").rglob("*"), *(ROOT / "k8s").rglob("*")]
        if path.is_file()
        for name in re.findall(rb"\bHEPATICA_[A-Z_]*[A-Z]\b", path.read_bytes())
    }
    assert len(named) > len(NAMES)
    assert unknown([name.decode() for name in named], NAMES | DIMSE) == {}


@pytest.fixture
def said(monkeypatch, caplog):
    """Return all that was logged."""
    for name in NAMES | DIMSE:
        monkeypatch.delenv(name, raising=False)
    return lambda: "\n".join(str(record.msg) for record in caplog.records)


def test_a_warning_names_names_and_no_value(monkeypatch, said):
    monkeypatch.setenv("HEPATICA_PACS_PASSWORD", "s3cret")
    environment.warn_of_unknown(Settings)
    assert "HEPATICA_PACS_PASSWORD" in said()
    assert "HEPATICA_PACS" in said().replace("HEPATICA_PACS_PASSWORD", "")
    assert "s3cret" not in said()


class Listed(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="HEPATICA_")
    origins: list[str] = []


@pytest.mark.parametrize(
    ("kind", "name", "value", "words"),
    [
        (Settings, "HEPATICA_BATCH_SIZE", "s3cret", r"HEPATICA_BATCH_SIZE: .*integer"),
        (Settings, "HEPATICA_MAX_QUEUED", "1", r"settings: the largest request must fit"),
        (Settings, "HEPATICA_PACS", "/nowhere", r"HEPATICA_PACS: /nowhere: cannot be read"),
        (Listed, "HEPATICA_ORIGINS", "s3cret", r"origins"),
        (ListenerSettings, "PATH", "s3cret", r"HEPATICA_DIMSE_PEERS: Field required"),
    ],
)
def test_what_is_wrong_ends_the_start_in_a_line(monkeypatch, said, kind, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        environment.read(kind)
    assert ended.value.code == 1
    (line,) = said().splitlines()
    assert re.search(words, line)
    assert "s3cret" not in line
