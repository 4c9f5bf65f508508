"""An operator learns what happened and how often, never to whom."""

import json
import logging
import re

import numpy as np
import pytest

from lesion.errors import InputError
from service.problems import STATUS, ServiceError, status_of

NPY = {"Content-Type": "application/x-npy"}
DICOM = {"Content-Type": "application/dicom"}


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("service").setLevel(logging.DEBUG)
    return lambda: [r.msg for r in caplog.records if r.name == "service.requests"]


def test_a_line_for_each_request(client, npy, lines):
    client.post("/classify?spacing_mm=1", content=npy(np.zeros((64, 64))), headers=NPY)
    client.get("/synthesize?class=hcc")
    client.get("/patients/SECRET-1?name=SECRET")
    client.get("/livez")
    classified, refused, unknown = lines()
    assert classified["ms"] > 0
    assert {**classified, "ms": 0, "bytes": 0} == {
        "route": "/classify",
        "method": "POST",
        "status": 200,
        "problem": "",
        "bytes": 0,
        "ms": 0,
    }
    assert (refused["status"], refused["problem"]) == (422, "unknown-class")
    assert (unknown["route"], unknown["status"]) == ("other", 404)


def test_nothing_of_the_patient_leaves_with_an_answer_a_log_or_a_metric(
    client, make_ct, encode, caplog, capfd
):
    """Neither when all goes well, nor when pydicom stumbles over a value."""
    caplog.set_level(logging.DEBUG)
    hu = np.zeros((96, 96))
    files = [
        encode(make_ct(hu)),
        encode(make_ct(hu, Modality="MR")),
        encode(make_ct(hu)).replace(b"0.8\\0.7", b"0,8\\0,7"),
        encode(make_ct(hu)).replace(b"19000101", b"SECRET19"),
        encode(make_ct(hu))[:700],
    ]
    texts = [
        client.post(f"/classify?{query}", content=file, headers=DICOM).text
        for file in files
        for query in ("roi=9,9,40,40", "roi=9,9,400,400")
    ]
    ours = [str(r.msg) + str(r.args) for r in caplog.records if not r.name.startswith("httpcore")]
    texts += [client.get("/metrics").text, *ours, *capfd.readouterr()]
    assert not [text for text in texts if "secret" in text.lower()]


def test_labels_are_bounded(client):
    for i in range(30):
        client.get(f"/made-up-{i}")
        client.request("PROPFIND", f"/made-up-{i}")
    text = client.get("/metrics").text
    assert "made-up" not in text
    assert 'hepatica_requests_total{method="GET",route="other",status="4xx"}' in text
    assert 'hepatica_requests_total{method="other",route="other",status="4xx"}' in text
    assert len(re.findall("^hepatica_requests_total", text, re.MULTILINE)) < 60


def test_metrics_tell_what_was_done(serve_here, npy, bundle):
    with serve_here() as client:
        for _ in range(3):
            client.post("/classify", content=npy(np.zeros((64, 64))), headers=NPY)
        client.get("/synthesize?class=cyst&format=zip&count=20")
        client.post("/classify", content=b"", headers=NPY)
        text = client.get("/metrics").text
    value = lambda name: float(re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)[1])  # noqa: E731
    predictions = re.findall(
        r'^hepatica_predictions_total\{label="\w+"\} (\S+)$', text, re.MULTILINE
    )
    assert sum(map(float, predictions)) == 3
    assert value('hepatica_images_synthesized_total{format="zip",label="cyst"}') == 20
    assert value('hepatica_problems_total{problem="empty-input"}') == 1
    for stage in ("receive", "wait", "decode", "cut", "infer", "answer"):
        assert value(f'hepatica_stage_seconds_count{{stage="{stage}"}}') >= 3
    assert value("hepatica_batch_patches_sum") == 3
    assert value("hepatica_out_of_distribution_ratio_count") == 3
    assert value('hepatica_queue_depth{queue="classify"}') == 0
    assert value("hepatica_ready") == 1
    assert value("process_resident_memory_bytes") > 0
    assert f'digest="{bundle.digest}"' in text


def test_a_fault_of_ours_says_nothing_of_itself(client, npy, monkeypatch, caplog):
    """No input leads here; a bug might."""

    def broken(*_, **__):
        raise RuntimeError("SECRET^PATIENT")

    monkeypatch.setattr("service.classify.prepare", broken)
    answer = client.post("/classify", content=npy(np.zeros((64, 64))), headers=NPY)
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:hepatica:problem:internal"
    told = [record.msg for record in caplog.records if record.name == "service.requests"]
    assert told[0]["unexpected"] == "RuntimeError"
    assert "test_watch.py" in told[0]["where"][-1]
    assert "secret" not in (answer.text + caplog.text + json.dumps(told)).lower()


def test_every_error_has_a_status_and_a_name_of_its_own():
    def family(error):
        yield error
        for child in error.__subclasses__():
            yield from family(child)

    errors = set(family(InputError)) - {InputError, ServiceError}
    assert len({error.slug for error in errors}) == len(errors) > 30
    for error in errors:
        assert status_of(error) in set(STATUS.values())
        assert re.fullmatch("[a-z-]+", error.slug)
