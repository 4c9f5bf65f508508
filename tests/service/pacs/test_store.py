"""With store=NAME the report goes to that PACS, and the answer says who it is, or what failed."""

import json
import time
from io import BytesIO

import pytest
from pydicom import dcmread

from service.pacs import related

from .fake import reply

BOX = {"roi": "10,10,20,20"}


@pytest.fixture
def ask(client, make_ct, encode):
    image = encode(make_ct())

    def run(query="store=archive", client=client, **headers):
        answer = client.post(
            f"/classify?{query}", files={"image": image}, data=BOX, headers=headers
        )
        return answer, answer.json()

    return run


def sent(fake):
    """Read what the PACS was sent."""
    posts = [headers for method, _, headers in fake.seen if method == "POST"]
    objects = []
    for body, headers in zip(fake.stored, posts, strict=True):
        part = related.OnePart(headers["Content-Type"])
        part.feed(body)
        objects.append(dcmread(BytesIO(part.object())))
    return objects


def test_the_report_is_stored_and_named(ask, fake):
    answer, told = ask()
    assert answer.status_code == 200
    (report,) = sent(fake)
    assert told["stored"] == {
        "pacs": "archive",
        "objects": [
            {
                "kind": "report",
                "sop_class": report.SOPClassUID,
                "study": report.StudyInstanceUID,
                "series": report.SeriesInstanceUID,
                "instance": report.SOPInstanceUID,
                "problem": None,
            }
        ],
    }
    assert report.Modality == "SR"
    assert len(told["lesions"]) == 1


@pytest.mark.parametrize("accept", ["application/json", "application/dicom", "*/*"])
def test_the_answer_is_json_to_whoever_takes_a_report(ask, fake, accept):
    answer, told = ask(Accept=accept)
    assert answer.headers["Content-Type"] == "application/json"
    assert told["stored"]["objects"][0]["instance"] == sent(fake)[0].SOPInstanceUID


def test_pictures_are_stored_too(ask, fake):
    _, told = ask("store=archive&capture=true")
    objects = sent(fake)
    assert [found.Modality for found in objects] == ["SR", "OT"]
    said = told["stored"]["objects"]
    assert [one["instance"] for one in said] == [found.SOPInstanceUID for found in objects]
    assert told["lesions"][0]["activation_map"] is None  # nobody asked for it in JSON


@pytest.mark.parametrize(
    ("status", "code"),
    [(409, "pacs-store"), (401, "pacs-refused"), (500, "pacs-answer"), (404, "pacs-answer")],
)
def test_a_pacs_that_refuses_costs_nobody_the_answer(ask, fake, status, code):
    failed = {"00081198": {"Value": [{"00081197": {"Value": [0x0124]}}]}}
    body = json.dumps(failed).encode() if status == 409 else b"<html>No, Secret^Patient</html>"
    fake.days = [reply(status, body)]
    answer, told = ask()
    assert answer.status_code == 200
    assert told["lesions"][0]["label"]
    (report,) = told["stored"]["objects"]
    assert report["instance"]
    assert report["problem"]["type"] == f"urn:hepatica:problem:{code}"
    assert "archive" in report["problem"]["detail"]
    assert "Secret" not in answer.text


def test_no_picture_is_sent_of_a_report_that_did_not_arrive(ask, fake):
    fake.days = [reply(500)]
    _, told = ask("store=archive&capture=true")
    report, picture = (one["problem"]["type"] for one in told["stored"]["objects"])
    assert report == picture == "urn:hepatica:problem:pacs-answer"
    assert len(fake.seen) == 1


def test_all_that_is_stored_of_an_answer_shares_one_deadline(ask, serving, fake):
    """Though each object was taken soon enough."""
    done = json.dumps({"00081199": {"Value": [{}]}}).encode()

    def drip(handler):
        reply(200, content_length=str(len(done)), content_type="application/dicom+json")(handler)
        for at in range(0, len(done), 4):
            time.sleep(0.2)
            handler.wfile.write(done[at : at + 4])

    fake.days = [drip, drip]
    with serving("store = true", "deadline_s = 2") as client:
        answer, told = ask("store=archive&capture=true", client=client)
    assert answer.status_code == 200
    report, picture = (one["problem"] for one in told["stored"]["objects"])
    assert report is None
    assert picture["type"] == "urn:hepatica:problem:pacs-timeout"


def test_one_that_is_down_too(ask, serving):
    with serving("store = true", "retries = 0", url="http://127.0.0.1:9/dicom-web") as client:
        answer, told = ask(client=client)
    assert answer.status_code == 200
    problem = told["stored"]["objects"][0]["problem"]
    assert problem["type"] == "urn:hepatica:problem:pacs-connection"


def test_what_was_pulled_is_reported_to_the_same_pacs(client, fake, make_ct, encode):
    image = make_ct()
    reference = fake.keep(encode(image))
    answer = client.post(
        "/classify", json={"pacs": "archive", **reference, **BOX, "store": "archive"}
    )
    assert answer.status_code == 200
    (report,) = sent(fake)
    assert report.StudyInstanceUID == image.StudyInstanceUID
    assert answer.json()["stored"]["objects"][0]["instance"] == report.SOPInstanceUID


def test_names_that_are_not_configured_for_it(ask, serving, fake):
    answer, problem = ask("store=elsewhere")
    assert answer.status_code == 422
    assert problem["type"] == "urn:hepatica:problem:unknown-pacs"
    with serving() as client:  # to pull from only
        assert ask(client=client)[0].status_code == 422
    assert not fake.seen
