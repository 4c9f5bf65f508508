"""The description is true: what it names is answered, and what is answered it names."""

import re
import socket
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from jsonschema import Draft202012Validator

NPY = {"Content-Type": "application/x-npy"}


@pytest.fixture(scope="module")
def described(client):
    return client.get("/openapi.json").json()


@pytest.fixture(scope="module")
def patch(npy):
    return npy(np.zeros((64, 64), np.float32))


@pytest.fixture(scope="module")
def check(validate):
    return partial(_check, validate)


def _check(validate, described, path, answer):
    """Check an answer's status, media type and body against its description."""
    operation = described["paths"][path][answer.request.method.lower()]
    content = operation["responses"][str(answer.status_code)]["content"]
    media_type = answer.headers["Content-Type"].split(";")[0]
    assert media_type in content
    if media_type.endswith("json"):
        validate(described, content[media_type]["schema"], answer.json())


def test_it_is_openapi_3_1(described):
    assert described["openapi"] == "3.1.0"
    for name, schema in described["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert re.fullmatch("[A-Za-z]+", name)
    for reference in re.findall(r"'\$ref': '([^']*)'", str(described)):
        where = described
        for step in reference.removeprefix("#/").split("/"):
            where = where[step]


def test_every_route_is_described(described, client):
    routes = set(re.findall(r'route="([^"]*)"', client.get("/metrics").text))
    assert set(described["paths"]) == {
        "/classify", "/synthesize", "/models", "/livez", "/readyz", "/metrics",
    }  # fmt: skip
    assert {"/classify", "/readyz"} & routes


def test_operations_stand_in_groups_by_who_calls_them(described):
    groups = {tag["name"]: set() for tag in described["tags"]}
    for path, operations in described["paths"].items():
        for operation in operations.values():
            (group,) = operation["tags"]
            groups[group].add(path)
    assert groups == {
        "classify": {"/classify"},
        "synthesize": {"/synthesize"},
        "models": {"/models"},
        "operations": {"/livez", "/readyz", "/metrics"},
    }
    assert all(tag["description"] for tag in described["tags"])


def test_every_answer_is_as_described(check, described, client, patch):
    for path in ("/models", "/livez", "/readyz", "/metrics"):
        check(described, path, client.get(path))
    for query in ("", "?saliency=true"):
        check(described, "/classify", client.post("/classify" + query, content=patch, headers=NPY))
    for output in ("png", "zip", "npz"):
        answer = client.get(f"/synthesize?class=cyst&format={output}")
        check(described, "/synthesize", answer)
        headers = described["paths"]["/synthesize"]["get"]["responses"]["200"]["headers"]
        assert all(name in answer.headers for name in headers)


def test_every_refusal_is_described_and_happens(check, described, serve_here, patch, tmp_path):
    """408 and 413 need limits of their own, 502 and 504 a PACS, 503 a server that is not ready."""
    seen = {path: set() for path in described["paths"]}

    def refuse(path, answer):
        check(described, path, answer)
        seen[path].add(answer.status_code)

    def slowly():
        yield patch[:100]
        time.sleep(1)
        yield patch[100:]

    # One PACS where nobody listens, and one that never answers.
    archives = {"down": 502, "mute": 504}
    configuration = tmp_path / "pacs.toml"
    mute, down = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    ports = {"down": down.getsockname()[1], "mute": mute.getsockname()[1]}
    down.close()
    configuration.write_text(
        "\n".join(
            f'[{name}]\nurl = "http://127.0.0.1:{port}"\nread_timeout_s = 0.2\nretries = 0'
            for name, port in ports.items()
        )
    )
    settings = {"max_body_bytes": 20_000, "receive_timeout_s": 0.5, "pacs": configuration}
    with mute, serve_here(**settings) as client:
        post = lambda query="", **request: refuse(  # noqa: E731
            "/classify", client.post(f"/classify{query}", **request)
        )
        post(content=b"")
        post(content=patch, headers=NPY | {"Accept": "text/html"})
        post(content=patch, headers=NPY | {"Origin": "null"})
        post(content=slowly(), headers=NPY)
        post(content=bytes(30_000), headers=NPY)
        post(content=patch, headers={"Content-Type": "text/html"})
        post("?roi=1,1,99,99", content=patch, headers=NPY)
        for pacs, status in archives.items():
            body = {"pacs": pacs, "study": "1.2", "series": "1.3", "instance": "1.4"}
            post("?roi=1,1,9,9", json=body)
            assert status in seen["/classify"]
        for path in ("/synthesize?class=cyst", "/models"):  # whoever sends these a body
            refuse(path.split("?")[0], client.request("GET", path, content=bytes(30_000)))
        for query in ("class=cyst&x=1", "class=hcc"):
            refuse("/synthesize", client.get(f"/synthesize?{query}"))
        refuse("/synthesize", client.get("/synthesize?class=cyst", headers={"Accept": "a/b"}))
        refuse("/models", client.get("/models", headers={"Accept": "a/b"}))
    with serve_here(bundle=Path("nowhere"), await_ready=False) as client:
        refuse("/classify", client.post("/classify", content=patch, headers=NPY))
        refuse("/synthesize", client.get("/synthesize?class=cyst"))
        refuse("/models", client.get("/models"))
        refuse("/readyz", client.get("/readyz"))
        assert client.get("/livez").status_code == 200
    for path, operations in described["paths"].items():
        (operation,) = operations.values()
        documented = {int(status) for status in operation["responses"]} - {200}
        assert seen[path] == documented - {500}  # which must not happen; see test_watch


def test_every_parameter_is_read(described, client, patch):
    given = {"saliency": "true", "spacing_mm": "0.8", "roi": "1,1,40,40"}
    assert client.post("/classify", params=given, content=patch, headers=NPY).status_code == 200
    # Those that are for other images, or for reports, are refused by name.
    others = {"window": "0,1", "select": "1", "frame": "1", "store": "archive", "capture": "true"}
    names = {p["name"] for p in described["paths"]["/classify"]["post"]["parameters"]}
    assert names == set(given) | set(others)
    for name, value in others.items():
        answer = client.post(f"/classify?{name}={value}", content=patch, headers=NPY)
        assert 400 <= answer.status_code < 500
        expected = "DICOM" if name == "capture" else f"{name}: found"
        assert expected in answer.json()["detail"]
    given = {"class": "cyst", "count": "1", "seed": "1", "start": "0", "format": "png"}
    names = {p["name"] for p in described["paths"]["/synthesize"]["get"]["parameters"]}
    assert names == set(given)
    assert client.get("/synthesize", params=given).status_code == 200


def test_the_page_asks_no_third_party(client):
    page = client.get("/" + client.get("/").headers["location"])
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    files = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(files) == 4
    for file in files:
        assert file == "data:," or file.startswith("docs/")
        assert file == "data:," or client.get("/" + file).status_code == 200
