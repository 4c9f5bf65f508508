"""POST /classify answers with a report where Accept asks for one."""

from email import message_from_bytes
from io import BytesIO

import numpy as np
import pytest
from highdicom.sr import srread
from pydicom import dcmread
from pydicom.sr.codedict import codes
from pydicom.uid import Comprehensive3DSRStorage, SecondaryCaptureImageStorage

from lesion.contour import contour
from lesion.outline import from_mask
from service.report.measurements import probability_of

ROWS, COLS = 120, 140
Y, X = np.mgrid[:ROWS, :COLS]
MASK = (X - 70) ** 2 + (Y - 60) ** 2 < 15**2
OTHER = (X - 30) ** 2 + 2 * (Y - 30) ** 2 < 12**2
HU = np.where(MASK, 10.0, 105.0) + np.random.default_rng(1).normal(0, 10, (ROWS, COLS)).round()
DICOM, RELATED = "application/dicom", 'multipart/related; type="application/dicom"'
BOX = {"roi": "55,45,86,76"}


@pytest.fixture
def ct(make_ct):
    return make_ct(HU)


def ask(client, accept, query="", data=None, **files):
    return client.post(f"/classify{query}", files=files, data=data, headers={"Accept": accept})


def parts(answer):
    assert answer.status_code == 200, answer.text
    head = f"Content-Type: {answer.headers['Content-Type']}\r\n\r\n".encode()
    message = message_from_bytes(head + answer.content)
    assert message.get_content_type() == "multipart/related"
    assert message.get_param("type") == DICOM
    found = message.get_payload()
    assert {part.get_content_type() for part in found} == {DICOM}
    return [part.get_payload(decode=True) for part in found]


def test_the_report_says_what_the_json_says(client, ct, encode, make_seg, dciodvfy):
    files = {"image": encode(ct), "annotation": encode(make_seg(ct, [(1, MASK), (4, OTHER)]))}
    told = ask(client, "application/json", **files).json()
    answer = ask(client, DICOM, **files)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == DICOM
    assert not dciodvfy(answer.content)

    report = srread(BytesIO(answer.content))
    assert report.SOPClassUID == Comprehensive3DSRStorage
    assert report.PatientID == ct.PatientID
    groups = report.content.get_planar_roi_measurement_groups()
    assert len(groups) == len(told["lesions"]) == 2
    for group, lesion, mask in zip(groups, told["lesions"], (MASK, OTHER), strict=True):
        (outline,) = from_mask(mask, shape=mask.shape)
        np.testing.assert_array_equal(group.roi.value[:-1], contour(outline))
        assert group.finding_type.value == lesion["code"]["value"]
        percent = {name: 100 * p for name, p in lesion["probabilities"].items()}
        assert sum(percent.values()) == pytest.approx(100)
        for name, value in percent.items():
            (found,) = group.get_measurements(name=probability_of(name))
            assert found.value == pytest.approx(value, abs=0.1)
        (diameter,) = group.get_measurements(name=codes.SCT.LongAxis)
        assert diameter.value == round(lesion["diameter_mm"], 1)
    assert told["model"]["digest"].encode() in answer.content
    assert told["disclaimer"].encode() in answer.content


def test_json_is_the_answer_to_whoever_does_not_ask(client, ct, encode):
    for accept in ("*/*", "application/*", "application/json, application/dicom", f"{DICOM};q=0"):
        if accept.endswith("q=0"):
            accept += ", */*;q=0.1"  # noqa: PLW2901
        answer = ask(client, accept, data=BOX, image=encode(ct))
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["stored"] is None
    preferred = ask(client, f"application/json;q=0.5, {DICOM}", data=BOX, image=encode(ct))
    assert preferred.headers["Content-Type"] == DICOM


def test_the_same_request_makes_the_same_report(client, ct, encode):
    first, again = (
        dcmread(BytesIO(ask(client, DICOM, data=BOX, image=encode(ct)).content)) for _ in range(2)
    )
    assert first.SOPInstanceUID == again.SOPInstanceUID
    assert first.SeriesInstanceUID == again.SeriesInstanceUID


def test_pictures_come_beside_the_report(client, ct, encode, dciodvfy):
    alone = parts(ask(client, RELATED, data=BOX, image=encode(ct)))
    assert [dcmread(BytesIO(data)).Modality for data in alone] == ["SR"]
    report, picture = parts(ask(client, RELATED, "?capture=true", data=BOX, image=encode(ct)))
    assert dcmread(BytesIO(report)).Modality == "SR"
    assert not dciodvfy(picture)
    image = dcmread(BytesIO(picture))
    assert image.SOPClassUID == SecondaryCaptureImageStorage
    assert image.Rows >= 512
    pixels = image.pixel_array.astype(int)
    assert (np.ptp(pixels, axis=-1) > 0).any()  # colours: the outline, the activation map
    # Two objects are no application/dicom, and no JSON.
    for accept in (DICOM, "application/json"):
        answer = ask(client, accept, "?capture=true", data=BOX, image=encode(ct))
        assert answer.status_code == 406
        assert "multipart/related" in answer.json()["detail"]


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_a_slice_without_uids_is_classified_but_not_reported(client, ct, encode, keyword):
    setattr(ct, keyword, "")
    data = encode(ct)
    assert ask(client, "application/json", data=BOX, image=data).status_code == 200
    answer = ask(client, DICOM, data=BOX, image=data)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "urn:hepatica:problem:report"
    assert keyword in problem["detail"]
    assert "Secret" not in answer.text


def test_what_is_no_dicom_is_not_reported(client, npy):
    answer = client.post(
        "/classify",
        content=npy(np.zeros((64, 64), np.float32)),
        headers={"Content-Type": "application/x-npy", "Accept": DICOM},
    )
    assert answer.status_code == 422
    assert "found an image in NPY, expected DICOM" in answer.json()["detail"]


def test_a_patient_with_strange_attributes_reaches_no_log(client, make_ct, encode, caplog):
    image = encode(make_ct(HU, PatientName="Secret^^^^^^Name", PatientID="S" * 64))
    with caplog.at_level("DEBUG"):
        answer = ask(client, DICOM, data=BOX, image=image)
    assert answer.status_code == 200
    assert "Secret" not in caplog.text
    assert "S" * 64 not in caplog.text
