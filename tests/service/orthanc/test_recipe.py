"""A fresh Orthanc, set up as docs/pacs/orthanc says: an annotation goes in, a report comes back."""

import json
import re
import time
from io import BytesIO

import numpy as np
import pytest
from highdicom.sr import srread
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage, generate_uid

from service.pacs import related
from service.report.measurements import probability_of
from training.phantom.classes import CLASSES

from .conftest import HEPATICA, LISTENER, ORTHANC, RECIPE, ROOT

EXAMPLES = ROOT / "examples"
GUIDE = (RECIPE / "README.md").read_text(encoding="utf-8")
Y, X = np.mgrid[:96, :112]
MASK = np.hypot(X - 56, Y - 48) < 14


def store(site, *paths):
    """Send files as a workstation does, which proposes what it has."""
    site.run("storescu", "-R", "-aet", "WORKSTATION", "-aec", "ORTHANC", "127.0.0.1", 4242, *paths)


def stow(site, folder, *files):
    body, content_type = related.encode(*files)
    (folder / "body").write_bytes(body)
    site.curl(
        f"{ORTHANC}/dicom-web/studies",
        *("-H", f"Content-Type: {content_type}", "-H", "Accept: application/dicom+json"),
        *("--data-binary", f"@{folder / 'body'}"),
    )


def probabilities(report):
    """Read each lesion's probabilities, in per cent."""
    groups = report.content.get_planar_roi_measurement_groups()
    return [
        [float(group.get_measurements(name=probability_of(name))[0].value) for name in CLASSES]
        for group in groups
    ]


def reports_made(site):
    text = site.curl(f"{LISTENER}/metrics").decode()
    lines = (line for line in text.splitlines() if line.startswith("hepatica_listener_jobs_total"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if "_created" not in line)


@pytest.fixture
def study(make_ct, make_seg, encode):
    """A slice and its SEG of a study that nobody has seen."""
    uids = {name: generate_uid() for name in ("StudyInstanceUID", "FrameOfReferenceUID")}
    noise = np.random.default_rng(3).normal(0, 10, MASK.shape).round()
    ct = make_ct(
        np.where(MASK, 15.0, 105.0) + noise,
        **uids,
        SeriesInstanceUID=generate_uid(),
        PixelSpacing=[0.7, 0.7],
    )
    seg = make_seg(ct, [(1, MASK)], SeriesInstanceUID=generate_uid(), **uids)
    return str(uids["StudyInstanceUID"]), encode(ct), encode(seg)


def test_what_a_workstation_stores_comes_back_as_one_valid_report(site, dciodvfy, pixelmed):
    slice_, seg = EXAMPLES / "slice.dcm", EXAMPLES / "seg.dcm"
    study = str(dcmread(slice_, stop_before_pixels=True).StudyInstanceUID)
    (page,) = re.findall(r"## Try it\n+```bash\n(.*?)```", GUIDE, flags=re.DOTALL)
    site.run("bash", "-euo", "pipefail", "-c", page)
    found = site.file(site.wait_for(study, "SR"))
    assert not dciodvfy(found)
    said = pixelmed(found)
    assert "Found Root Template TID_1500 (MeasurementReport)" in said
    assert "Error" not in said

    report = srread(BytesIO(found))
    files = ("-F", f"image=@{slice_}", "-F", f"annotation=@{seg}")
    told = json.loads(site.curl(f"{HEPATICA}/classify", *files))
    expected = [[100 * p for p in lesion["probabilities"].values()] for lesion in told["lesions"]]
    np.testing.assert_allclose(probabilities(report), expected, atol=0.1)

    # People see it without opening the report.
    picture = site.file(site.wait_for(study, "OT"))
    assert not dciodvfy(picture)
    image = dcmread(BytesIO(picture))
    assert image.SOPClassUID == SecondaryCaptureImageStorage
    assert np.ptp(image.pixel_array.astype(int), axis=-1).any()  # colours: outline and label

    # Once more, and the report itself is a stable series by now: nothing goes round.
    before = reports_made(site)
    store(site, slice_, seg)
    time.sleep(7)  # longer than the recipe's StableAge: there is no event for what must not happen
    assert len(site.series(study, "SR")) == len(site.series(study, "OT")) == 1
    assert reports_made(site) == before


@pytest.mark.parametrize("first", ["image", "annotation"])
def test_what_is_stored_by_stow_comes_back_in_either_order(site, study, tmp_path, dciodvfy, first):
    uid, image, annotation = study
    files = [image, annotation] if first == "image" else [annotation, image]
    for file in files:
        stow(site, tmp_path, file)
    found = site.file(site.wait_for(uid, "SR"))
    assert not dciodvfy(found)
    report = dcmread(BytesIO(found))
    assert report.Manufacturer == "Hepatica"
    (evidence,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = evidence.ReferencedSeriesSequence
    (referenced,) = series.ReferencedSOPSequence
    assert referenced.ReferencedSOPInstanceUID == dcmread(BytesIO(image)).SOPInstanceUID


def test_by_reference_is_what_the_files_themselves_give(site, study, tmp_path):
    uid, image, annotation = study
    stow(site, tmp_path, image, annotation)
    ct, seg = (dcmread(BytesIO(file), stop_before_pixels=True) for file in (image, annotation))
    asked = {
        "pacs": "orthanc",
        "study": uid,
        "series": ct.SeriesInstanceUID,
        "instance": ct.SOPInstanceUID,
        "annotation": {"series": seg.SeriesInstanceUID, "instance": seg.SOPInstanceUID},
    }
    options = ("-H", "Content-Type: application/json", "-d")
    told = json.loads(site.curl(f"{HEPATICA}/classify", *options, json.dumps(asked)))
    for name, file in (("image", image), ("annotation", annotation)):
        (tmp_path / name).write_bytes(file)
    files = ("-F", f"image=@{tmp_path / 'image'}", "-F", f"annotation=@{tmp_path / 'annotation'}")
    assert told == json.loads(site.curl(f"{HEPATICA}/classify", *files))

    stored = json.loads(
        site.curl(f"{HEPATICA}/classify", *options, json.dumps(asked | {"store": "orthanc"}))
    )["stored"]
    (made,) = stored["objects"]
    assert made["problem"] is None
    there = site.wait_for(uid, "SR")
    assert there["00080018"]["Value"] == [made["instance"]]
    # Orthanc's script sends the SEG to the listener, whose report is the very same object.
    time.sleep(7)
    assert len(site.series(uid, "SR")) == 1

    missing = asked | {"instance": str(generate_uid())}
    refused = json.loads(site.curl(f"{HEPATICA}/classify", *options, json.dumps(missing), ok=False))
    assert refused["type"] == "urn:hepatica:problem:pacs-missing"


def test_no_patient_is_in_what_the_listener_and_the_service_said(site, study, tmp_path):
    uid, image, annotation = study
    stow(site, tmp_path, image, annotation)
    site.wait_for(uid, "SR")
    sent = [dcmread(EXAMPLES / "slice.dcm"), dcmread(BytesIO(image))]
    patients = {str(ct.get(name)) for ct in sent for name in ("PatientName", "PatientID")}
    said = "".join((site.folder / f"{name}.log").read_text() for name in ("listener", "service"))
    assert said
    assert all(map(len, patients))
    assert not [patient for patient in patients if patient in said]
