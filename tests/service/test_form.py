"""A part of a form is a file or an option by its name, however the client writes it."""

import json
import tempfile

import numpy as np
import pytest

FORM = {"Content-Type": "multipart/form-data; boundary=x"}
BOX = {"type": "box", "x0": 20, "y0": 20, "x1": 60, "y1": 60}


@pytest.fixture(scope="module")
def image(npy):
    return npy(np.random.default_rng(0).normal(60, 30, (96, 128)).astype(np.float32))


@pytest.fixture(scope="module")
def classify(client):
    def send(*parts):
        return client.post("/classify", content=form(*parts), headers=FORM)

    return send


def form(*parts):
    """Write a form of (what stands behind its name, its content)."""
    written = [
        b"--x\r\nContent-Disposition: form-data; name=" + head.encode() + b"\r\n\r\n" + data
        for head, data in parts
    ]
    return b"\r\n".join([*written, b"--x--\r\n"])


@pytest.fixture(scope="module")
def expected(classify, image):
    answer = classify(('"image"; filename="a.npy"', image), ('"roi"', b"20,20,60,60"))
    assert answer.status_code == 200
    return answer.json()["lesions"]


@pytest.mark.parametrize(
    "head",
    [
        '"image"',
        "image",
        '"image"; filename=""',
        '"image"\r\nContent-Type: application/x-npy',
        '"image"\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary',
    ],
)
def test_a_file_needs_no_file_name(classify, image, expected, head):
    answer = classify((head, image), ('"roi"', b"20,20,60,60"))
    assert answer.json()["lesions"] == expected


def test_neither_does_a_large_one(classify, npy):
    """Larger than what text may be, and beside an outline that is a file too."""
    image, mask = np.zeros((1024, 1024), np.float32), np.zeros((1024, 1024), np.float32)
    mask[300:360, 300:360] = 1
    answer = classify(('"mask"', npy(mask)), ('"image"', npy(image)))
    assert answer.status_code == 200, answer.text


def test_it_never_touches_a_disk(classify, npy, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", None)  # what a spooled file rolls over to
    assert classify(('"image"', npy(np.zeros((1024, 1024))))).status_code == 200


@pytest.mark.parametrize(
    "head",
    [
        '"roi"; filename="blob"\r\nContent-Type: application/json',
        '"roi"\r\nContent-Type: application/json; charset=utf-8',
    ],
)
def test_an_option_may_come_as_a_file(classify, image, expected, head):
    answer = classify(('"image"', image), (head, json.dumps(BOX).encode()))
    assert answer.json()["lesions"] == expected


def test_an_option_is_small(classify, image):
    answer = classify(('"image"', image), ('"roi"; filename="a"', bytes(2 << 20)))
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:hepatica:problem:unreadable-parameter"


@pytest.mark.parametrize("head", ['"picture"', '"picture"; filename="a"', '"Image"', '""'])
def test_a_name_that_is_not_known_is_refused(classify, image, head):
    answer = classify(('"image"', image), (head, b"1"))
    assert answer.json()["type"] == "urn:hepatica:problem:unreadable-parameter"
    assert "expected" in answer.json()["detail"]


def test_a_part_without_a_name_is_refused(client):
    body = b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x\r\n\r\n1\r\n--x--\r\n"
    answer = client.post("/classify", content=body, headers=FORM)
    assert answer.json()["type"] == "urn:hepatica:problem:unreadable-parameter"


def test_a_form_without_its_end_is_refused(client, image):
    """Its last part, which may say which lesion is meant, would be passed over."""
    whole = form(('"image"', image), ('"roi"', b"20,20,60,60"), ('"roi"', b"60,20,90,60"))
    for cut in (len(b"--\r\n"), len(b"\r\n--x--\r\n"), len(b"60\r\n--x--\r\n")):
        answer = client.post("/classify", content=whole[:-cut], headers=FORM)
        assert answer.json()["type"] == "urn:hepatica:problem:unreadable-parameter"
        assert "found no closing boundary" in answer.json()["detail"]
