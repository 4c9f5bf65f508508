"""The configuration of PACS: what it means, and what stops the service at its start."""

import ssl

import pytest
from pydantic import ValidationError

from service.pacs.config import load
from service.settings import Settings


def write(tmp_path, *lines, url="https://pacs.example/dicom-web/"):
    path = tmp_path / "pacs.toml"
    path.write_text("\n".join(["[archive]", f'url = "{url}"', *lines]))
    return path


def test_none_and_two(tmp_path):
    assert load(None) == {}
    path = write(tmp_path, "store = true", "[other]", 'url = "http://127.0.0.1:8042/dicom-web"')
    found = load(path)
    assert list(found) == ["archive", "other"]
    assert found["archive"].url == "https://pacs.example/dicom-web"
    assert (found["archive"].store, found["other"].store) == (True, False)
    context = found["archive"].tls()
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_mounted_secret_may_be_renewed(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("first\n")
    token = load(write(tmp_path, f'token = {{file = "{secret}"}}'))["archive"].token
    assert token is not None
    assert token.read() == "first"
    secret.write_text("second")
    assert token.read() == "second"


@pytest.mark.parametrize(
    "lines",
    [
        ["no_such = 1"],
        ["retries = -1"],
        ["read_timeout_s = inf"],
        ['ca_bundle = "/no/such/file"'],
        ['client_key = "/no/such/file"'],
        ['username = "someone"'],
        ['username = "some:one"', 'password = {env = "PACS_SECRET"}'],
        ['password = {env = "PACS_SECRET"}'],
        ['password = "hunter2hunter2"', 'username = "someone"'],
        ['token = {env = "PACS_ABSENT"}'],
        ['token = {env = "PACS_EMPTY"}'],
        ['token = {env = "PACS_SECRET", file = "/etc/hostname"}'],
        ['token = {file = "/no/such/file"}'],
        ['["x y"]', 'url = "https://pacs.example"'],
        ["= 1"],
    ],
)
def test_what_cannot_be_meant_and_no_secret_is_quoted(tmp_path, monkeypatch, lines):
    monkeypatch.setenv("PACS_SECRET", "hunter2hunter2")
    monkeypatch.setenv("PACS_EMPTY", "")
    monkeypatch.setenv("HEPATICA_PACS", str(write(tmp_path, *lines)))
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "pacs.example",
        "ftp://pacs.example",
        "https://user:hunter2hunter2@pacs.example",
        "https://pacs.example/?a=1",
        "https://pacs.example/#a",
        "https:///studies",
        "https://pacs.example/\\u00e9",
        "https://pacs.example/a b",
        "https://pacs.example:99999999/",
    ],
)
def test_urls_that_are_refused(tmp_path, url):
    with pytest.raises(ValueError, match=r"archive\.url") as refused:
        load(write(tmp_path, url=url))
    assert "hunter2" not in str(refused.value)


def test_credentials_go_over_plain_http_only_if_somebody_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PACS_SECRET", "hunter2hunter2")
    lines = ['username = "someone"', 'password = {env = "PACS_SECRET"}']
    with pytest.raises(ValueError, match="plain_http_credentials"):
        load(write(tmp_path, *lines, url="http://pacs.example"))
    assert load(
        write(tmp_path, *lines, "plain_http_credentials = true", url="http://pacs.example")
    )["archive"].password


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path / "absent.toml")
