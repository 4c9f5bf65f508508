"""A web page of another origin has nothing done, unless the operator names its origin."""

import numpy as np
import pytest
from pydantic import ValidationError

from service.settings import Settings

NPY = {"Content-Type": "application/x-npy"}
VIEWER = "https://viewer.example:8443"
EVIL = "https://evil.example"
OWN = "http://{address}"


@pytest.fixture(scope="module")
def patch(npy):
    return npy(np.zeros((64, 64), np.float32))


@pytest.fixture(scope="module")
def open_to_viewer(serve_here):
    with serve_here(allowed_origins=f"{VIEWER}, https://other.example") as client:
        yield client


def address(client):
    return f"{client.base_url.host}:{client.base_url.port}"


def classify(client, patch, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.post("/classify", content=patch, headers=NPY | named)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN},
        {"Origin": OWN, "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://outside.example", "Sec_Fetch_Site": "same-origin"},  # by a proxy
        {"Origin": "null", "Sec_Fetch_Site": "same-origin"},  # its referrer is kept secret
        {"Sec_Fetch_Site": "none"},
        {"Origin": "https://hepatica.example", "Host": "hepatica.example:443"},
        {"Origin": "http://hepatica.example", "Host": "Hepatica.example"},
    ],
)
def test_own_pages_and_programs_pass(client, patch, headers):
    told = {name: value.format(address=address(client)) for name, value in headers.items()}
    assert classify(client, patch, **told).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": EVIL, "Sec_Fetch_Site": "cross-site"},
        {"Origin": EVIL, "Sec_Fetch_Site": "same-site"},
        {"Origin": VIEWER, "Sec_Fetch_Site": "cross-site"},
        {"Origin": OWN, "Sec_Fetch_Site": "same-site"},
        {"Origin": OWN, "Sec_Fetch_Site": ""},
        {"Origin": OWN + ".evil.example"},
        {"Origin": OWN.replace("http:", "https:"), "Host": "127.0.0.1"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_pages_of_other_origins_are_refused(client, patch, headers):
    told = {name: value.format(address=address(client)) for name, value in headers.items()}
    answer = classify(client, patch, **told)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:hepatica:problem:forbidden-origin"
    assert "access-control-allow-origin" not in answer.headers


def test_a_form_of_another_origin_stores_nothing(client, patch):
    """As a page can send it without asking ahead."""
    answer = client.post(
        "/classify",
        data={"store": "archive"},
        files={"image": patch},
        headers={"Origin": EVIL, "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    )
    assert answer.json()["type"] == "urn:hepatica:problem:forbidden-origin"


def test_a_viewer_on_an_allowed_origin(open_to_viewer, patch):
    """It asks ahead, sends, and reads answers and problems alike."""
    ahead = open_to_viewer.options(
        "/classify",
        headers={
            "Origin": VIEWER,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert (ahead.status_code, ahead.content) == (204, b"")
    assert "POST" in ahead.headers["Access-Control-Allow-Methods"]
    allowed = ahead.headers["Access-Control-Allow-Headers"].split(", ")
    assert {"Accept", "Content-Type", "Content-Encoding"} <= set(allowed)
    page = {"Origin": VIEWER, "Sec_Fetch_Site": "cross-site"}
    answered = classify(open_to_viewer, patch, **page)
    refused = classify(open_to_viewer, b"", **page)
    missing = open_to_viewer.get("/nowhere", headers={"Origin": VIEWER})
    assert (answered.status_code, refused.status_code, missing.status_code) == (200, 400, 404)
    for answer in (ahead, answered, refused, missing):
        assert answer.headers["Access-Control-Allow-Origin"] == VIEWER
        assert answer.headers["Vary"] == "Origin"
    exposed = answered.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "Hepatica-Seed", "Hepatica-Bundle-Digest"} <= set(exposed)


def test_a_page_on_another_origin_beside_it(open_to_viewer, patch):
    assert classify(open_to_viewer, patch, Origin=EVIL).status_code == 403
    ahead = open_to_viewer.options(
        "/classify", headers={"Origin": EVIL, "Access-Control-Request-Method": "POST"}
    )
    assert ahead.status_code == 403
    for answer in (ahead, open_to_viewer.get("/models", headers={"Origin": EVIL})):
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"


def test_what_a_browser_is_told_of_every_answer(client, patch):
    answers = [
        classify(client, patch),
        classify(client, b""),
        classify(client, patch, Accept="text/html"),
        client.get("/synthesize?class=cyst"),
        client.get("/docs"),
        client.get("/docs/swagger-ui-bundle.js"),
        client.get("/nowhere"),
        client.put("/classify"),
        client.get("/metrics"),
    ]
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        no_store = answer.headers.get("Cache-Control") == "no-store"
        assert no_store == (answer.request.url.path == "/classify")
    assert "script-src 'self'" in client.get("/docs").headers["Content-Security-Policy"]


def test_a_host_that_is_not_the_services(serve_here, patch):
    with serve_here(allowed_hosts="hepatica.example,::1") as client:
        for known in ("hepatica.example", "HEPATICA.example:3000", "[::1]:3000"):
            assert classify(client, patch, Host=known).status_code == 200
        for unknown in ("evil.example", "hepatica.example.evil.example", "", "[", "a@b", "x" * 999):
            answer = classify(client, patch, Host=unknown)
            assert answer.status_code == 421
            assert answer.json()["type"] == "urn:hepatica:problem:unknown-host"
        assert client.get("/models", headers={"Host": "evil.example"}).status_code == 421
        for probe in ("/livez", "/readyz", "/metrics"):
            assert client.get(probe).status_code == 200


def test_settings_are_lists_separated_by_commas(monkeypatch):
    monkeypatch.setenv("HEPATICA_ALLOWED_ORIGINS", "https://a.example, http://[::1]:3000,")
    monkeypatch.setenv("HEPATICA_ALLOWED_HOSTS", "")
    assert Settings().allowed_origins == ("https://a.example", "http://[::1]:3000")
    assert Settings().allowed_hosts is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "viewer.example"),
        ("ALLOWED_ORIGINS", "https://viewer.example/"),
        ("ALLOWED_ORIGINS", "https://viewer.example:443"),
        ("ALLOWED_ORIGINS", "https://Viewer.example"),
        ("ALLOWED_ORIGINS", "https://*.example"),
        ("ALLOWED_ORIGINS", "https://a.example;https://b.example"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "hepatica.example:3000"),
        ("ALLOWED_HOSTS", "cafe:3000"),  # no address of IPv6, though it looks like one
        ("ALLOWED_HOSTS", "https://hepatica.example"),
    ],
)
def test_what_a_browser_would_never_send_is_refused_at_the_start(monkeypatch, name, value):
    monkeypatch.setenv(f"HEPATICA_{name}", value)
    with pytest.raises(ValidationError, match=r"found .* expected"):
        Settings()
