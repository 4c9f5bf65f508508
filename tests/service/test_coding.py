"""A body that is gzip is read as what it was; within the bounds of what it was."""

import gzip
import re
import time
import zlib

import numpy as np
import pytest

NPY = {"Content-Type": "application/x-npy"}
GZIP = {"Content-Encoding": "gzip"}
MB = 1 << 20


@pytest.fixture(scope="module")
def patch(npy):
    return npy(np.random.default_rng(0).normal(60, 30, (64, 64)).astype(np.float32))


@pytest.fixture(scope="module")
def post(client):
    def send(content, coding="gzip", **headers):
        told = NPY | {"Content-Encoding": coding} | headers
        return client.post("/classify", content=content, headers=told)

    return send


@pytest.fixture(scope="module")
def expected(client, patch):
    return client.post("/classify", content=patch, headers=NPY).json()["lesions"]


def kind(answer):
    return answer.status_code, answer.json()["type"].removeprefix("urn:hepatica:problem:")


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "x-gzip"])
def test_gzip(post, patch, expected, coding):
    assert post(gzip.compress(patch), coding).json()["lesions"] == expected


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_gzip_that_comes_in_pieces(post, patch, expected, size):
    data = gzip.compress(patch)
    pieces = (data[at : at + size] for at in range(0, min(len(data), 3000), size))
    rest = data[len(range(0, min(len(data), 3000), size)) * size :]
    assert post(iter([*pieces, rest])).json()["lesions"] == expected


def test_gzip_of_several_members(post, patch, expected):
    members = [gzip.compress(patch[:100]), gzip.compress(b""), gzip.compress(patch[100:])]
    assert post(b"".join(members)).json()["lesions"] == expected
    assert post(iter(members)).json()["lesions"] == expected


@pytest.mark.parametrize("coding", ["identity", ""])
def test_no_coding(post, patch, expected, coding):
    assert post(patch, coding).json()["lesions"] == expected


@pytest.mark.parametrize("size", [256 * 1024, 256 * 1024 + 1, MB, 2 * MB - 7])
def test_what_is_long_comes_out_whole(client, npy, size):
    """Of JSON whose end decides, and of lengths about those of a piece."""
    body = b" " * (size - 2) + b"{}"
    answer = client.post(
        "/classify",
        content=gzip.compress(body),
        headers={**GZIP, "Content-Type": "application/json"},
    )
    seen = kind(answer)
    assert seen == ((413, "too-large") if size > 512 * 1024 else (400, "unreadable-parameter"))
    image = npy(np.random.default_rng(0).normal(60, 30, (size // 2048, 256)))
    plain = client.post("/classify?roi=9,9,40,40", content=image, headers=NPY).json()
    packed = client.post(
        "/classify?roi=9,9,40,40", content=gzip.compress(image), headers=NPY | GZIP
    ).json()
    assert packed == plain
    assert packed["lesions"]


def test_a_form(client, patch, expected):
    request = client.build_request("POST", "/classify", files={"image": patch})
    body = gzip.compress(request.read())
    answer = client.post(
        "/classify",
        content=body,
        headers={"Content-Type": request.headers["Content-Type"], **GZIP},
    )
    assert answer.json()["lesions"] == expected


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate", "compress", "gzip, gzip", "x" * 999])
def test_a_coding_that_is_not_read(post, patch, coding):
    answer = post(patch, coding)
    assert kind(answer) == (415, "unknown-coding")
    assert answer.headers["Accept-Encoding"] == "gzip"
    assert "Content-Encoding" in answer.json()["detail"]


def test_a_format_that_is_not_read_is_no_coding(client):
    answer = client.post("/classify", content=b"x", headers={"Content-Type": "text/html"})
    assert answer.status_code == 415
    assert "Accept-Encoding" not in answer.headers


def test_what_is_no_gzip(post, patch):
    packed = gzip.compress(patch)
    for body in (
        patch,
        packed[:-1],
        packed[:50],
        packed[:5],
        packed + b"more",
        zlib.compress(patch),
    ):
        answer = post(body)
        assert kind(answer) == (400, "unreadable-body")
        assert re.search("found .* expected", answer.json()["detail"])
    spoilt = packed[:-8] + bytes(8)
    assert kind(post(spoilt)) == (400, "unreadable-body")
    assert kind(post(b"")) == (400, "empty-input")
    assert kind(post(gzip.compress(b""))) == (400, "empty-input")
    assert kind(post(gzip.compress(b"") * 5000)) == (400, "unreadable-body")


def test_a_bomb_is_refused_by_the_bound_of_what_it_was(serve_here, patch):
    with serve_here(max_body_bytes=20_000) as client:
        whole = gzip.compress(bytes(20_001))
        for body in (whole, gzip.compress(bytes(1000 * MB), 1), gzip.compress(bytes(9_000)) * 3):
            answer = client.post("/classify", content=body, headers=NPY | GZIP)
            assert kind(answer) == (413, "too-large")
        packed = client.post("/classify", content=gzip.compress(patch), headers=NPY | GZIP)
        assert packed.status_code == 200
        assert "hepatica_held_bytes 0.0" in client.get("/metrics").text


def test_what_was_decoded_counts_as_held(client):
    """Not what came over the wire: of that a bomb is little."""
    packed = gzip.compress(bytes(MB))

    def held_back():
        yield packed[:-8]
        while held() < MB:
            time.sleep(0.01)
        yield packed[-8:]

    def held():
        return float(
            re.search(r"^hepatica_held_bytes (\S+)$", client.get("/metrics").text, re.MULTILINE)[1]
        )

    assert client.post("/classify", content=held_back(), headers=NPY | GZIP).status_code == 415
    assert held() == 0
