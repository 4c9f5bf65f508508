"""Annotations of every kind, whole series and multi-frame images, as a client sends them."""

from copy import deepcopy
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    RTStructureSetStorage,
    generate_uid,
)

ROWS, COLS = 96, 112
Y, X = np.mgrid[:ROWS, :COLS]
NOISE = np.random.default_rng(5).normal(0, 10, (ROWS, COLS)).round()
RADII = (6, 14, 9)
PLACES = [np.where(np.hypot(X - 56, Y - 48) < r, 15.0, 105.0) + NOISE for r in RADII]


def item(**attributes):
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


@pytest.fixture
def series(make_ct):
    """A cyst on three slices of 3 mm, the largest in the middle."""
    uids = {
        keyword: generate_uid()
        for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
    }
    return [
        make_ct(hu, **uids, PixelSpacing=[0.7, 0.7], ImagePositionPatient=[-40, -35, 3.0 * at])
        for at, hu in enumerate(PLACES)
    ]


@pytest.fixture
def seg(series, make_seg, encode):
    """The three discs as one segment, largest on the second slice."""
    made = make_seg(series[0], [(1, np.hypot(X - 56, Y - 48) < radius) for radius in RADII])
    for frame, image in zip(made.PerFrameFunctionalGroupsSequence, series, strict=True):
        source = item(
            ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID
        )
        frame.DerivationImageSequence = [item(SourceImageSequence=[source])]
        frame.PlanePositionSequence = [item(ImagePositionPatient=image.ImagePositionPatient)]
    made.SegmentSequence[0].SegmentLabel = "cyst"
    return encode(made)


@pytest.fixture
def rtstruct(series, encode):
    """A square of 20 mm on the third slice."""
    image = series[2]
    x, y, z = image.ImagePositionPatient
    corners = [(20, 20), (40, 20), (40, 40), (20, 40)]
    data = [value for dx, dy in corners for value in (x + dx, y + dy, z)]
    images = [item(ReferencedSOPInstanceUID=image.SOPInstanceUID)]
    contour = item(
        ContourImageSequence=images, ContourGeometricType="CLOSED_PLANAR", ContourData=data
    )
    roi = item(
        ROINumber=4, ROIName="Secret", ReferencedFrameOfReferenceUID=image.FrameOfReferenceUID
    )
    return encode(
        item(
            SOPClassUID=RTStructureSetStorage,
            SOPInstanceUID=generate_uid(),
            StructureSetROISequence=[roi],
            ROIContourSequence=[item(ReferencedROINumber=4, ContourSequence=[contour])],
        )
    )


def classify(client, images, query="", **files):
    parts = [*(("image", image) for image in images), *files.items()]
    return client.post(f"/classify?{query}", files=parts)


def only(answer):
    assert answer.status_code == 200, answer.text
    (lesion,) = answer.json()["lesions"]
    return lesion


def refused(answer):
    told = answer.json()
    assert "secret" not in answer.text.lower()
    assert told["status"] == answer.status_code
    return answer.status_code, told["type"].removeprefix("urn:hepatica:problem:"), told["detail"]


def test_the_slice_of_the_largest_area_is_taken_and_named(client, series, seg, encode):
    lesion = only(classify(client, map(encode, series), annotation=seg))
    assert lesion["image"] == {
        "sop_instance_uid": series[1].SOPInstanceUID,
        "frame_number": None,
    }
    assert lesion["annotation_number"] == 1
    assert lesion["diameter_mm"] == pytest.approx(2 * 14 * 0.7, abs=1)
    alone = only(classify(client, [encode(series[1])], "select=cyst", annotation=seg))
    assert alone["probabilities"] == pytest.approx(lesion["probabilities"], abs=2e-4)
    assert [warning["code"] for warning in lesion["warnings"]] == []
    part = only(classify(client, map(encode, series[1:]), annotation=seg))
    assert [warning["code"] for warning in part["warnings"]] == ["slices-missing"]


def test_an_rtstruct(client, series, rtstruct, encode):
    for query in ("", "select=4", "select=Secret"):
        lesion = only(classify(client, map(encode, series), query, annotation=rtstruct))
        assert lesion["image"]["sop_instance_uid"] == series[2].SOPInstanceUID
        assert lesion["annotation_number"] == 4
        assert lesion["roi"]["x0"] == pytest.approx(20 / 0.7 + 0.5)
        assert lesion["diameter_mm"] == pytest.approx(20 * np.sqrt(2), abs=1e-4)
    for query, images in (("select=5", series), ("", series[:2])):
        status, slug, detail = refused(
            classify(client, map(encode, images), query, annotation=rtstruct)
        )
        assert (status, slug) == (422, "annotation")
        assert "expected" in detail


@pytest.fixture
def enhanced(series, encode):
    made = deepcopy(series[0])
    for keyword in ("RescaleSlope", "RescaleIntercept", "PixelSpacing", "ImagePositionPatient"):
        delattr(made, keyword)
    made.SOPClassUID = EnhancedCTImageStorage
    made.NumberOfFrames = 3
    transform = item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")
    made.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[item(PixelSpacing=[0.7, 0.7])],
            PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
            PixelValueTransformationSequence=[transform],
        )
    ]
    made.PerFrameFunctionalGroupsSequence = [
        item(PlanePositionSequence=[item(ImagePositionPatient=image.ImagePositionPatient)])
        for image in series
    ]
    made.PixelData = b"".join(image.PixelData for image in series)
    return made


def test_a_frame_of_a_multi_frame_image(client, series, enhanced, encode):
    data = encode(enhanced)
    box = "roi=42,34,70,62"
    for number, image in enumerate(series, 1):
        lesion = only(classify(client, [data], f"{box}&frame={number}"))
        assert lesion["image"]["frame_number"] == number
        single = only(classify(client, [encode(image)], box))
        assert lesion["probabilities"] == pytest.approx(single["probabilities"], abs=2e-4)
    assert refused(classify(client, [data], box))[:2] == (422, "multi-frame")
    assert refused(classify(client, [data], f"{box}&frame=4"))[:2] == (422, "multi-frame")


def test_the_annotation_chooses_the_frame(client, series, enhanced, make_seg, encode):
    made = make_seg(series[0], [(1, np.hypot(X - 56, Y - 48) < radius) for radius in RADII])
    for at, frame in enumerate(made.PerFrameFunctionalGroupsSequence):
        source = item(
            ReferencedSOPClassUID=EnhancedCTImageStorage,
            ReferencedSOPInstanceUID=enhanced.SOPInstanceUID,
            ReferencedFrameNumber=at + 1,
        )
        frame.DerivationImageSequence = [item(SourceImageSequence=[source])]
        position = series[at].ImagePositionPatient
        frame.PlanePositionSequence = [item(ImagePositionPatient=position)]
    seg = encode(made)
    lesion = only(classify(client, [encode(enhanced)], annotation=seg))
    assert lesion["image"] == {
        "sop_instance_uid": enhanced.SOPInstanceUID,
        "frame_number": 2,
    }
    lesion = only(classify(client, [encode(enhanced)], "frame=3", annotation=seg))
    assert lesion["image"]["frame_number"] == 3
    assert lesion["diameter_mm"] == pytest.approx(2 * 9 * 0.7, abs=1)


def test_what_cannot_be_a_series(client, series, seg, make_ct, encode, npy):
    images = [encode(image) for image in series]
    outside = encode(make_ct(PLACES[0]))
    for files, query, expected in (
        ([*images, outside], "", (422, "series")),
        ([*images, images[0]], "", (422, "series")),
        (images, "frame=1", (422, "series")),
        (images, "select=2", (422, "annotation")),
        (images, "frame=one", (400, "unreadable-parameter")),
        ([*images, npy(PLACES[0])], "", (400, "unreadable-parameter")),
    ):
        assert refused(classify(client, files, query, annotation=seg))[:2] == expected
    assert refused(classify(client, images, "roi=42,34,70,62"))[:2] == (422, "series")
    assert refused(classify(client, images[:1], "roi=42,34,70,62&select=1"))[:2] == (
        400,
        "unreadable-parameter",
    )
    assert refused(classify(client, [npy(PLACES[0])], "frame=1"))[:2] == (
        400,
        "unreadable-parameter",
    )
    many = classify(client, [images[0]] * 600, annotation=seg)
    assert refused(many)[:2] == (400, "unreadable-parameter")


def test_what_is_no_annotation(client, series, encode):
    image = encode(series[0])
    for annotation, expected in (
        (image, (422, "annotation")),
        (b"", (400, "empty-input")),
        (b"\0" * 500, (415, "unknown-format")),
    ):
        assert refused(classify(client, [image], annotation=annotation))[:2] == expected


def of_patient(data, patient, **attributes):
    """Return a file with another Patient ID (none: without one)."""
    dataset = pydicom.dcmread(BytesIO(data))
    dataset.PatientID = patient
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    file = BytesIO()
    dataset.save_as(file)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["seg", "rtstruct", "multi-frame", "deflated"])
def test_an_annotation_of_another_patient(client, series, enhanced, encode, request, kind):
    """It names the image, and lies in its plane: all the same it is another's."""
    images = [encode(image) for image in series]
    annotation = request.getfixturevalue("rtstruct" if kind == "rtstruct" else "seg")
    if kind == "multi-frame":
        images = [encode(enhanced)]
    if kind == "deflated":
        images = [encode(image, DeflatedExplicitVRLittleEndian) for image in series]
    answer = classify(client, images, annotation=of_patient(annotation, "SECRET-2"))
    status, slug, detail = refused(answer)
    assert (status, slug) == (422, "patient-mismatch")
    assert detail.startswith("Patient ID (0010,0020): found different ones")


def test_an_image_of_another_patient_in_a_series(client, series, seg, encode):
    series[2].PatientID = "SECRET-2"
    answer = classify(client, map(encode, series), annotation=seg)
    assert refused(answer)[:2] == (422, "patient-mismatch")


def test_an_annotation_of_another_study_of_the_patient(client, series, seg, encode):
    other = of_patient(seg, "SECRET-1", StudyInstanceUID="1.2.3")
    lesion = only(classify(client, map(encode, series), annotation=other))
    assert [warning["code"] for warning in lesion["warnings"]] == ["study-differs"]
    none = of_patient(seg, "", StudyInstanceUID=series[0].StudyInstanceUID)
    assert only(classify(client, map(encode, series), annotation=none))["warnings"] == []


@pytest.fixture
def other_frame_of_reference(series, rtstruct):
    """A structure set in another frame of reference than the slice that it names."""
    dataset = pydicom.dcmread(BytesIO(rtstruct))
    dataset.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = generate_uid()
    return dataset


def test_a_deviation_is_read_with_a_warning_that_is_counted(
    serve_here, series, other_frame_of_reference, encode
):
    with serve_here() as client:
        lesion = only(
            classify(client, map(encode, series), annotation=encode(other_frame_of_reference))
        )
        metrics = client.get("/metrics").text
    assert "frame-of-reference" in [warning["code"] for warning in lesion["warnings"]]
    assert 'hepatica_warnings_total{code="frame-of-reference"} 1.0' in metrics


def test_strict_refuses_deviations_and_nothing_else(
    serve_here, series, rtstruct, other_frame_of_reference, encode
):
    with serve_here(strict=True) as client:
        kept = classify(client, map(encode, series), annotation=rtstruct)
        answer = classify(client, map(encode, series), annotation=encode(other_frame_of_reference))
    assert only(kept)
    status, slug, detail = refused(answer)
    assert (status, slug) == (422, "deviation")
    assert "frame-of-reference" in detail
