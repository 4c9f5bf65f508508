"""Of an annotation's structures the lesions are answered; the others are named, and why."""

from io import BytesIO

import numpy as np
import pytest
from highdicom.sr import srread
from pydicom import dcmread
from pydicom.dataset import Dataset

ROWS, COLS = 120, 140
Y, X = np.mgrid[:ROWS, :COLS]
LESION = np.hypot(X - 70, Y - 60) < 15
LIVER = np.hypot(X - 70, Y - 60) < 55
HU = np.where(LESION, 10, 105) + np.random.default_rng(1).normal(0, 10, (ROWS, COLS)).round()
TRACKED = "1.2.826.0.1.3680043.8.498.1"


def code(value, scheme):
    made = Dataset()
    made.CodeValue, made.CodingSchemeDesignator, made.CodeMeaning = value, scheme, "Secret^Meaning"
    return [made]


@pytest.fixture
def ct(make_ct):
    return make_ct(HU, PixelSpacing=[0.8, 0.8])


@pytest.fixture
def seg(ct, make_seg):
    """A lesion, the liver around it, and a speck."""
    speck = (X == 3) & (Y == 3)
    made = make_seg(ct, [(1, LESION), (2, LIVER), (3, speck)])
    lesion, liver, other = made.SegmentSequence
    lesion.SegmentLabel, lesion.TrackingID, lesion.TrackingUID = "Läsion Eins", "T-1", TRACKED
    liver.SegmentLabel, other.SegmentLabel = "Geheim 2", "Geheim 3"
    liver.SegmentedPropertyCategoryCodeSequence = code("123037004", "SCT")
    liver.SegmentedPropertyTypeCodeSequence = code("T-62000", "SRT")
    made.SpecificCharacterSet = "ISO_IR 192"
    return made


def post(client, ct, seg, encode, query="", **headers):
    files = {"image": encode(ct), "annotation": encode(seg)}
    return client.post(f"/classify{query}", files=files, headers=headers)


def test_json_names_what_was_skipped_and_the_lesions_structure(client, ct, seg, encode):
    answer = post(client, ct, seg, encode).json()
    (lesion,) = answer["lesions"]
    assert lesion["structure"] == {
        "label": "Läsion Eins",
        "tracking_identifier": "T-1",
        "tracking_uid": TRACKED,
    }
    assert [(one["annotation_number"], one["structure"], one["reason"], one["label"])
            for one in answer["skipped"]] == [
        (2, "Liver", "anatomy", "Geheim 2"),
        (3, "Lesion", "unusable", "Geheim 3"),
    ]  # fmt: skip
    for one in answer["skipped"]:
        assert "Geheim" not in one["detail"]
    assert "Secret" not in str(answer)


def test_the_report_carries_the_label_and_says_what_was_skipped(
    client, ct, seg, encode, dciodvfy, pixelmed
):
    data = post(client, ct, seg, encode, Accept="application/dicom").content
    assert not dciodvfy(data)
    assert "Error" not in pixelmed(data)
    assert dcmread(BytesIO(data)).SpecificCharacterSet == "ISO_IR 192"
    (group,) = srread(BytesIO(data)).content.get_planar_roi_measurement_groups()
    assert (group.tracking_identifier, group.tracking_uid) == ("Läsion Eins", TRACKED)
    (comment,) = [
        item.value
        for item in group[0].ContentSequence
        if item.ValueType == "TEXT" and item.name.meaning == "Comment"
    ]
    assert "Not classified of the annotation: 2 (Liver): anatomy (Liver)" in comment
    assert "3 (Lesion): outline: found" in comment
    assert "Geheim" not in comment


def test_lesions_of_one_label_are_numbered(client, ct, seg, encode, make_seg):
    two = LESION | (np.hypot(X - 110, Y - 100) < 9)
    made = make_seg(ct, [(1, two)])
    made.SegmentSequence[0].SegmentLabel = "cyst"
    data = post(client, ct, made, encode, Accept="application/dicom").content
    groups = srread(BytesIO(data)).content.get_planar_roi_measurement_groups()
    assert [group.tracking_identifier for group in groups] == ["cyst (1)", "cyst (2)"]


def test_anatomy_alone_is_refused_and_select_takes_it(client, ct, seg, encode, caplog):
    seg.SegmentSequence = seg.SegmentSequence[1:2]
    answer = post(client, ct, seg, encode)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:hepatica:problem:no-lesion")
    assert "found no lesion but Liver" in answer.json()["detail"]
    assert "select" in answer.json()["detail"]
    for word in ("Geheim", "Secret"):
        assert word not in answer.text + caplog.text + client.get("/metrics").text
    chosen = post(client, ct, seg, encode, "?select=2")
    (lesion,) = chosen.json()["lesions"]
    assert "no-lesion-selected" in [warning["code"] for warning in lesion["warnings"]]
    assert chosen.json()["skipped"] == []


def test_a_real_segmentation_of_a_liver_is_anatomy(client, shared_data):
    folder = shared_data("liver-seg")
    slices = [(folder / f"0{n}.dcm").read_bytes() for n in (1, 2, 3)]
    files = [*(("image", one) for one in slices)]
    answer = client.post(
        "/classify", files=[*files, ("annotation", (folder / "liver.dcm").read_bytes())]
    )
    assert answer.status_code == 422
    assert "found no lesion but Liver" in answer.json()["detail"]
    overlaps = ("annotation", (folder / "partial_overlaps.dcm").read_bytes())
    answer = client.post("/classify", files=[*files, overlaps]).json()
    assert {lesion["annotation_number"] for lesion in answer["lesions"]} == {1, 4}
    assert [one["structure"] for one in answer["skipped"]] == ["Artery", "Capillary", "Vein"]
