"""POST /classify by reference: just the instances named are pulled, and bad days are told apart."""

import io
import json
import logging
import re
import socket

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from .fake import RELATED, part, reply, slow

ROI = {"type": "box", "x0": 10, "y0": 10, "x1": 25, "y1": 25}
PROBLEM = "urn:hepatica:problem:"


@pytest.fixture
def ct(make_ct):
    return make_ct()


@pytest.fixture
def asked(fake, ct, encode):
    """The request for one slice that the PACS keeps."""
    return {"pacs": "archive", **fake.keep(encode(ct)), "roi": ROI}


def ask(client, body, **extra):
    return client.post("/classify", json=body | extra)


def test_as_if_the_caller_had_sent_it(client, fake, asked, ct, encode):
    pulled = ask(client, asked)
    sent = client.post(
        "/classify", data={"roi": json.dumps(ROI)}, files={"image": ("x", encode(ct), None)}
    )
    several = ask(client, asked, roi=[ROI, ROI], saliency=True).json()
    assert pulled.status_code == 200
    assert pulled.json() == sent.json()
    unset = dict.fromkeys(("select", "frame", "saliency", "store", "annotation"))
    assert ask(client, asked, **unset).json() == sent.json()
    assert len(several["lesions"]) == 2
    assert several["lesions"][0]["activation_map"]
    method, path, headers = fake.seen[0]
    assert (method, path) == ("GET", next(iter(fake.kept)))
    assert headers["Accept"].startswith('multipart/related; type="application/dicom"')
    assert len(fake.seen) == 3
    metrics = client.get("/metrics").text
    assert int(re.search(r'seconds_count\{stage="pull"\} (\d+)', metrics)[1]) >= 2


def test_an_annotation_of_the_same_study(client, fake, asked, ct, encode, make_seg):
    mask = np.zeros((ct.Rows, ct.Columns), bool)
    mask[12:28, 14:30] = True
    seg = make_seg(ct, [(1, mask)], StudyInstanceUID=ct.StudyInstanceUID, SeriesInstanceUID="1.2.3")
    kept = fake.keep(encode(seg))
    annotation = {"series": kept["series"], "instance": kept["instance"]}
    del asked["roi"]
    answer = ask(client, asked, annotation=annotation)
    elsewhere = ask(client, asked, annotation=annotation | {"series": "1.2.4"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["lesions"][0]["roi"] == {"x0": 14, "y0": 12, "x1": 30, "y1": 28}
    assert elsewhere.json()["type"] == PROBLEM + "pacs-missing"


def test_an_annotation_of_another_patient(client, fake, asked, ct, encode, make_seg):
    """In the same study, so they say."""
    mask = np.zeros((ct.Rows, ct.Columns), bool)
    mask[12:28, 14:30] = True
    seg = make_seg(ct, [(1, mask)], StudyInstanceUID=ct.StudyInstanceUID, SeriesInstanceUID="1.2.3")
    seg.PatientID = "SECRET-2"
    kept = fake.keep(encode(seg))
    annotation = {"series": kept["series"], "instance": kept["instance"]}
    del asked["roi"]
    answer = ask(client, asked, annotation=annotation)
    assert (answer.status_code, answer.json()["type"]) == (422, PROBLEM + "patient-mismatch")
    assert "SECRET" not in answer.text


def test_an_annotation_that_inflates_to_what_a_form_may_hold(
    client, fake, asked, ct, encode, make_seg
):
    mask = np.zeros((ct.Rows, ct.Columns), bool)
    mask[12:28, 14:30] = True
    seg = make_seg(ct, [(1, mask)], StudyInstanceUID=ct.StudyInstanceUID, SeriesInstanceUID="1.2.3")
    seg.DataSetTrailingPadding = bytes(40 << 20)
    kept = fake.keep(encode(seg, DeflatedExplicitVRLittleEndian))
    annotation = {"series": kept["series"], "instance": kept["instance"]}
    del asked["roi"]
    answer = ask(client, asked, annotation=annotation)
    assert answer.status_code == 200, answer.text


BROKEN = part(b"x" * 1000)[:500]
BAD_DAYS = {
    "401": (reply(401), 502, "pacs-refused"),
    "403": (reply(403), 502, "pacs-refused"),
    "404": (reply(404), 422, "pacs-missing"),
    "500": (reply(500), 502, "pacs-answer"),
    "HTML": (reply(200, b"<html>Log in</html>", content_type="text/html"), 502, "pacs-answer"),
    "HTML as part": (
        reply(200, part(b"<html>", "text/html"), content_type=RELATED),
        502,
        "pacs-answer",
    ),
    "no part": (reply(200, b"--edge--\r\n", content_type=RELATED), 502, "pacs-answer"),
    "two parts": (
        reply(200, part(b"1")[:-8] + part(b"2"), content_type=RELATED),
        502,
        "pacs-answer",
    ),
    "no DICOM": (reply(200, part(b"JFIF" * 100), content_type=RELATED), 502, "pacs-answer"),
    "no end": (reply(200, BROKEN, content_type=RELATED), 502, "pacs-answer"),
    "compressed": (
        reply(200, part(b""), content_type=RELATED, content_encoding="gzip"),
        502,
        "pacs-answer",
    ),
    "elsewhere": (reply(302, location="http://localhost:1/"), 502, "pacs-redirect"),
    "redirect to a file": (reply(302, location="file:///etc/passwd"), 502, "pacs-redirect"),
    "declared too large": (
        reply(200, content_type=RELATED, content_length=str(1 << 40)),
        413,
        "too-large",
    ),
}


@pytest.mark.parametrize(("day", "status", "code"), BAD_DAYS.values(), ids=BAD_DAYS)
def test_a_bad_day(client, fake, asked, day, status, code):
    fake.days = [day]
    answer = ask(client, asked)
    well = ask(client, asked)
    assert (answer.status_code, answer.json()["type"]) == (status, PROBLEM + code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("image: PACS archive: found ")
    assert well.status_code == 200


def test_what_is_missing_is_told_the_image_or_the_annotation(client, fake, asked):
    there = {name: value for name, value in asked.items() if name != "roi"}
    for missing in ("image", "annotation"):
        fake.days = [reply(404)]
        annotation = {"annotation": {"series": "1.2.3", "instance": "1.2.3.4"}}
        answer = ask(client, there | (annotation if missing == "annotation" else {"roi": ROI}))
        assert (answer.status_code, answer.json()["type"]) == (422, PROBLEM + "pacs-missing")
        assert answer.json()["detail"].startswith(f"{missing}: PACS archive: found status 404")


PASSING = {
    "slow": (slow(1.0), 504, "pacs-timeout"),
    "mid-body": (
        reply(200, BROKEN, content_type=RELATED, content_length="5000", connection="close"),
        502,
        "pacs-connection",
    ),
    "503": (reply(503), 502, "pacs-busy"),
    "429": (reply(429), 502, "pacs-busy"),
}


def closing(answer):
    def answer_and_close(handler):
        answer(handler)
        handler.close_connection = True

    return answer_and_close


@pytest.mark.parametrize(("day", "status", "code"), PASSING.values(), ids=PASSING)
def test_a_bad_moment_is_tried_again_and_a_bad_day_is_told(client, fake, asked, day, status, code):
    fake.days = [closing(day)] * 2
    assert ask(client, asked).status_code == 200
    assert len(fake.seen) == 3
    fake.days = [closing(day)] * 3
    answer = ask(client, asked)
    assert (answer.status_code, answer.json()["type"]) == (status, PROBLEM + code)
    assert len(fake.seen) == 6


def test_a_slow_drip_ends_at_the_deadline(serving, fake, asked):
    def drip(handler):
        reply(200, part(b"")[:-12], content_type=RELATED, content_length="1000000")(handler)
        for _ in range(40):
            handler.wfile.write(b"x")
            slow(0.05)(handler)

    fake.days = [drip]
    with serving("deadline_s = 0.5") as client:
        answer = ask(client, asked)
    assert (answer.status_code, answer.json()["type"]) == (504, PROBLEM + "pacs-timeout")
    assert answer.elapsed.total_seconds() < 1.5


def test_down(serving, asked):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with serving(url=f"http://127.0.0.1:{port}") as client:
        answer = ask(client, asked)
    assert (answer.status_code, answer.json()["type"]) == (502, PROBLEM + "pacs-connection")


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
def test_another_patients_instance(client, fake, asked, make_ct, encode, ct, keyword):
    setattr(ct, keyword, "1.2.3.4.5")
    fake.days = [reply(200, part(encode(ct)), content_type=RELATED)]
    answer = ask(client, asked)
    assert (answer.status_code, answer.json()["type"]) == (502, PROBLEM + "pacs-mismatch")
    assert keyword in answer.json()["detail"]
    assert "1.2.3.4.5" not in answer.text


def test_more_than_declared_is_read_no_further_than_the_limit(serving, fake, asked):
    def endless(handler):
        reply(200, content_type=RELATED, transfer_encoding="chunked", content_length="")(handler)
        head = part(b"")[:-12]
        handler.wfile.write(b"%x\r\n%b\r\n" % (len(head), head))
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for _ in range(200):
            handler.wfile.write(chunk)

    fake.days = [endless]
    with serving(max_body_bytes=1_000_000) as client:
        answer = ask(client, asked)
        held = next(
            line
            for line in client.get("/metrics").text.splitlines()
            if line.startswith("hepatica_held_bytes ")
        )
    assert (answer.status_code, answer.json()["type"]) == (413, PROBLEM + "too-large")
    assert held == "hepatica_held_bytes 0.0"


def test_redirects_within_the_pacs_are_followed(client, fake, asked):
    path = next(iter(fake.kept))
    fake.days = [reply(307, location=fake.url.removesuffix("/dicom-web") + path)]
    assert ask(client, asked).status_code == 200
    fake.days = [reply(307, location=path)] * 9
    answer = ask(client, asked)
    assert answer.json()["type"] == PROBLEM + "pacs-redirect"
    assert len(fake.seen) == 6


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"pacs": "elsewhere"}, 422, "unknown-pacs"),
        ({"pacs": "http://127.0.0.1/"}, 422, "unknown-pacs"),
        ({"study": "1.2/../../3"}, 400, "unreadable-parameter"),
        ({"instance": "1." * 40 + "1"}, 400, "unreadable-parameter"),
        ({"instance": "1.2\n"}, 400, "unreadable-parameter"),
        ({"series": 12}, 400, "unreadable-parameter"),
        ({"annotation": {"series": "1.2"}}, 400, "unreadable-parameter"),
        ({"url": "http://127.0.0.1/"}, 400, "unreadable-parameter"),
        ({"roi": {"type": "box"}}, 400, "unreadable-outline"),
    ],
)
def test_what_is_refused_before_the_pacs_is_asked(client, fake, asked, change, status, code):
    answer = ask(client, asked, **change)
    assert (answer.status_code, answer.json()["type"]) == (status, PROBLEM + code)
    assert not fake.seen


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"[" * 100_000, b'{"pacs": "archive"}', b"\xff"]
)
def test_what_is_no_reference(client, fake, body):
    answer = client.post("/classify", content=body, headers={"Content-Type": "application/json"})
    long = client.post(
        "/classify", content=b" " * 600_000, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["type"]) == (400, PROBLEM + "unreadable-parameter")
    assert long.status_code == 413


def test_no_pacs_is_configured(serve_here, asked):
    with serve_here() as client:
        answer = ask(client, asked)
    assert (answer.status_code, answer.json()["type"]) == (422, PROBLEM + "unknown-pacs")


def test_nothing_of_the_patient_or_the_credentials_is_logged(
    serving, fake, asked, ct, monkeypatch, caplog
):
    monkeypatch.setenv("ARCHIVE_PASSWORD", "hunter2hunter2")
    secret = [
        'username = "hepatica"',
        'password = {env = "ARCHIVE_PASSWORD"}',
        "plain_http_credentials = true",
    ]
    logs = io.StringIO()
    handler = logging.StreamHandler(logs)
    logging.getLogger().addHandler(handler)
    with serving(*secret) as client:
        days = [day for day, _, _ in [*BAD_DAYS.values(), *PASSING.values()]]
        answers = []
        for day in days:
            fake.days = [closing(day)] * 3
            answers.append(ask(client, asked).text)
        fake.days = []
        answers.append(client.get("/metrics").text)
    logging.getLogger().removeHandler(handler)
    assert fake.seen[0][2]["Authorization"] == "Basic aGVwYXRpY2E6aHVudGVyMmh1bnRlcjI="
    told = logs.getvalue() + "".join(answers)
    assert "pacs-timeout" in told
    uids = [ct.StudyInstanceUID, ct.SeriesInstanceUID, ct.SOPInstanceUID]
    for word in ["hunter2", "aGVwYXRpY2E6", "Secret", "SECRET", *uids]:
        assert word not in told
