"""What is sent to the process comes back as a report at its target: the real command, both ends."""

import shutil
import subprocess

import numpy as np
import pytest
from pydicom.uid import (
    Comprehensive3DSRStorage,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    SecondaryCaptureImageStorage,
    generate_uid,
)
from pynetdicom import AE

from ..pacs.conftest import configure, running_fake  # noqa: F401  # fixtures
from ..pacs.fake import reply
from ..pacs.test_store import sent
from .conftest import item, peers_file
from .peers import associated, send


def measured(report):
    """Return the images that a report's regions select."""
    groups = report.ContentSequence[-1].ContentSequence
    return [
        found.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for group in groups
        for found in group.ContentSequence
        if found.ValueType == "SCOORD"
    ]


def texts(report):
    return [str(element.value) for element in report.iterall() if element.VR == "UT"]


@pytest.fixture
def files(study, encode):
    """The files of a study: three slices, and a SEG of all of them."""
    return [encode(made) for made in (*study.images, study.seg)]


@pytest.mark.parametrize("kind", ["seg", "rtstruct", "sr"])
@pytest.mark.parametrize("first", ["image", "annotation"])
def test_an_annotation_and_its_slices_in_any_order(listener, study, encode, kind, first):
    images = [encode(image) for image in study.images]
    annotation = encode(getattr(study, kind))
    files = [*images, annotation] if first == "image" else [annotation, *images]
    assert send(listener.port, *files) == [0] * 4
    report = listener.target.report_of(study.uid)
    assert report.SOPClassUID == Comprehensive3DSRStorage
    assert report.PatientID == "SECRET-1"
    assert measured(report) == [study.images[1].SOPInstanceUID]


def test_the_report_is_that_of_http(listener, study, files, client):
    """The same objects make the same report, by its UID, whichever way they come."""
    send(listener.port, *files)
    answer = client.post(
        "/classify",
        files=[*(("image", data) for data in files[:3]), ("annotation", files[3])],
        headers={"Accept": "application/dicom"},
        timeout=120,  # the first report of a process imports much
    )
    report = listener.target.report_of(study.uid)
    assert answer.status_code == 200
    assert report.SOPInstanceUID.encode() in answer.content


def test_some_of_the_slices_do_once_the_study_is_quiet(listener, study, files):
    confirmed = listener.times("report confirmed")
    assert send(listener.port, *files[1:]) == [0] * 3
    report = listener.target.report_of(study.uid)
    assert measured(report) == [study.images[1].SOPInstanceUID]
    assert any("slices that were not sent" in text for text in texts(report))
    # What comes later makes no second report.
    listener.wait("report confirmed", count=confirmed + 1)
    assert send(listener.port, files[0], files[3]) == [0, 0]
    assert listener.metric("annotations_waiting") == 0
    assert listener.target.received.empty()


def test_an_annotation_that_names_no_image(listener, study, encode):
    for frame in study.seg.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    assert send(listener.port, *map(encode, (study.seg, *study.images))) == [0] * 4
    assert measured(listener.target.report_of(study.uid)) == [study.images[1].SOPInstanceUID]


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=lambda syntax: syntax.name,
)
def test_other_transfer_syntaxes(listener, study, encode, syntax):
    of_seg = ImplicitVRLittleEndian if syntax == ExplicitVRBigEndian else syntax
    if syntax == ExplicitVRBigEndian:
        for image in study.images:
            image["PixelData"].value = bytes(
                byte for pair in zip(*[iter(image.PixelData)] * 2, strict=True)
                for byte in reversed(pair)
            )  # fmt: skip
    files = [*(encode(image, syntax) for image in study.images), encode(study.seg, of_seg)]
    assert send(listener.port, *files) == [0] * 4
    assert measured(listener.target.report_of(study.uid)) == [study.images[1].SOPInstanceUID]


def test_duplicates_make_no_second_report(listener, study, files):
    before = listener.metric("objects_total", kind="seg", outcome="reported")
    confirmed = listener.times("report confirmed")
    assert send(listener.port, files[3], files[3], *files[:3]) == [0] * 5
    listener.target.report_of(study.uid)
    listener.wait("report confirmed", count=confirmed + 1)
    assert send(listener.port, *files) == [0] * 4
    assert listener.metric("objects_total", kind="seg", outcome="reported") == before + 1
    assert listener.metric("annotations_waiting") == 0
    assert listener.target.received.empty()


def test_our_own_report_is_taken_and_makes_none(listener, study, files, encode):
    confirmed = listener.times("report confirmed")
    send(listener.port, *files)
    own = encode(listener.target.report_of(study.uid))
    listener.wait("report confirmed", count=confirmed + 1)
    before = listener.metric("objects_total", kind="sr", outcome="own-report")
    assert send(listener.port, own) == [0]
    assert listener.metric("objects_total", kind="sr", outcome="own-report") == before + 1
    assert listener.metric("annotations_waiting") == 0


def test_an_annotation_that_http_would_refuse(listener, study, files, encode, is_well):
    study.images[0].RescaleType = study.images[1].RescaleType = "mgml"
    study.images[2].RescaleType = "mgml"
    assert send(listener.port, *map(encode, study.images), files[3]) == [0] * 4
    line = listener.wait("", problem="rescale")
    assert line["kind"] == "seg"
    assert listener.metric("jobs_total", outcome="rescale") == 1
    is_well(listener, listener.target)


def test_an_organ_is_no_lesion_at_this_door_either(listener, study, files, encode, is_well):
    liver = item(CodeValue="T-62000", CodingSchemeDesignator="SRT", CodeMeaning="Secret")
    segment = study.seg.SegmentSequence[0]
    segment.SegmentedPropertyTypeCodeSequence = [liver]
    segment.SegmentLabel = "Geheim"
    assert send(listener.port, *map(encode, study.images), encode(study.seg)) == [0] * 4
    line = listener.wait("", problem="no-lesion")
    assert "found no lesion but Liver" in line["message"]
    assert "Geheim" not in str(listener.said())
    is_well(listener, listener.target)


@pytest.mark.parametrize("other_study", [False, True])
def test_an_annotation_of_another_patient(listener, study, files, encode, is_well, other_study):
    """It names the images, whichever study it says that it is of."""
    refused = listener.metric("jobs_total", outcome="patient-mismatch")
    study.seg.PatientID = "SECRET-2"
    if other_study:
        study.seg.StudyInstanceUID = generate_uid()
    assert send(listener.port, *files[:3], encode(study.seg)) == [0] * 4
    line = listener.wait("", count=int(refused) + 1, problem="patient-mismatch")
    assert line["kind"] == "seg"
    assert listener.metric("jobs_total", outcome="patient-mismatch") == refused + 1
    is_well(listener, listener.target)
    assert listener.target.received.empty()


def test_an_annotation_of_another_study_of_the_patient(listener, study, files, encode):
    study.seg.StudyInstanceUID = generate_uid()
    assert send(listener.port, *files[:3], encode(study.seg)) == [0] * 4
    report = listener.target.report_of(study.uid)
    assert any("of different studies" in text for text in texts(report))


def test_what_has_no_uids_is_refused(listener, study, encode):
    study.images[0].StudyInstanceUID = ""
    assert send(listener.port, encode(study.images[0])) == [0xA900]


def test_who_may_associate(listener, files):
    for titles, outcome in (
        ({"calling": "STRANGER"}, "unknown-calling"),
        ({"calling": "SENDER2"}, "unknown-calling"),
        ({"called": "ANOTHER"}, "unknown-called"),
    ):
        before = listener.metric("associations_total", outcome=outcome)
        with associated(listener.port, *files, **titles) as assoc:
            assert assoc.is_rejected
        assert listener.metric("associations_total", outcome=outcome) == before + 1


def test_what_is_offered(listener):
    """C-ECHO is answered; a SOP class or a transfer syntax that is not read is not agreed on."""
    ae = AE("SENDER")
    ae.add_requested_context("1.2.840.10008.1.1")
    ae.add_requested_context("1.2.840.10008.5.1.4.1.1.4")  # MR
    ae.add_requested_context(CTImageStorage, "1.2.840.10008.1.2.4.51")  # JPEG of 12 bits
    assoc = ae.associate("127.0.0.1", listener.port, ae_title="HEPATICA")
    assert assoc.send_c_echo().Status == 0
    assert {context.abstract_syntax for context in assoc.rejected_contexts} == {
        "1.2.840.10008.5.1.4.1.1.4",
        CTImageStorage,
    }
    assoc.release()


def test_a_sender_is_held_to_its_hosts(spawn, target, files):
    bound = '[senders.SENDER]\nhosts = ["192.0.2.0/24"]\n'
    free = '[senders."ANY WHERE"]\n'
    with spawn(peers_file(target.port, bound + free)) as listener:
        with associated(listener.port, *files) as assoc:
            assert assoc.is_rejected
        assert send(listener.port, *files, calling="ANY WHERE") == [0] * 4
    with spawn(peers_file(target.port, bound)) as listener:
        with associated(listener.port, *files) as assoc:
            assert not assoc.is_established
        assert listener.metric("associations_total", outcome="unknown-host") == 1


def test_storescu(listener, study, files, tmp_path):
    """Another's implementation of the protocol."""
    storescu = shutil.which("storescu")
    if storescu is None:
        pytest.skip("no storescu (Debian: dcmtk)")
    paths = []
    for at, data in enumerate(files):
        paths.append(tmp_path / f"{at}.dcm")
        paths[-1].write_bytes(data)
    command = [storescu, "-R", "-aet", "SENDER", "-aec", "HEPATICA", "127.0.0.1"]
    done = subprocess.run(
        [*command, str(listener.port), *paths], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert measured(listener.target.report_of(study.uid)) == [study.images[1].SOPInstanceUID]


def test_to_a_pacs_by_stow(spawn, running_fake, configure, files, study):  # noqa: F811
    """With pictures; the PACS is busy at first, and a report is refused once."""
    pacs = configure(running_fake.url, "store = true", "retries = 0")
    running_fake.days, running_fake.seen, running_fake.stored = [reply(503), reply(409)], [], []
    peers = '[senders.SENDER]\n[target]\npacs = "archive"\n'
    with spawn(peers, capture=True, environment={"HEPATICA_PACS": str(pacs)}) as listener:
        assert send(listener.port, *files) == [0] * 4
        listener.wait("report confirmed")
        assert listener.metric("deliveries_total", outcome="pacs-busy") == 1
        assert listener.metric("deliveries_total", outcome="pacs-store") == 1
        running_fake.seen = running_fake.seen[2:]
        report, picture = sent(running_fake)
        assert report.SOPClassUID == Comprehensive3DSRStorage
        assert picture.SOPClassUID == SecondaryCaptureImageStorage
        assert picture.StudyInstanceUID == report.StudyInstanceUID == study.uid


def test_pictures_to_an_ae(spawn, target, files):
    with spawn(peers_file(target.port), capture=True) as listener:
        send(listener.port, *files)
        listener.wait("report confirmed")
    classes = [found.SOPClassUID for found in target.received.queue]
    assert classes == [Comprehensive3DSRStorage, SecondaryCaptureImageStorage]
    assert set(target.callers) == {"HEPATICA"}


def test_a_long_series_takes_no_memory_but_for_the_slices_that_are_marked(
    spawn, target, make_ct, make_seg, encode
):
    uids = {keyword: generate_uid() for keyword in ("SeriesInstanceUID", "StudyInstanceUID")}
    hu = np.random.default_rng(1).normal(60, 20, (512, 512)).round()
    images = [make_ct(hu, **uids, ImagePositionPatient=[-200, -200, float(at)]) for at in range(30)]
    files = [encode(image) for image in images]
    disc = np.hypot(*np.ogrid[-250:262, -250:262]) < 15

    def seg(segments):
        """Marks all slices, each segment one of them most."""
        made = make_seg(
            images[0],
            [(1 + at % segments, disc if at < segments else disc & (hu > 60)) for at in range(30)],
            StudyInstanceUID=uids["StudyInstanceUID"],
            SeriesInstanceUID=generate_uid(),
        )
        for frame, image in zip(made.PerFrameFunctionalGroupsSequence, images, strict=True):
            source = item(ReferencedSOPInstanceUID=image.SOPInstanceUID)
            frame.DerivationImageSequence = [item(SourceImageSequence=[source])]
            frame.PlanePositionSequence = [item(ImagePositionPatient=image.ImagePositionPatient)]
        return made

    bounds = {"max_job_bytes": 2_500_000, "max_object_bytes": 2_000_000, "quiet_s": 1000}
    with spawn(peers_file(target.port), **bounds) as listener:
        assert send(listener.port, *files, encode(seg(1))) == [0] * 31
        report = target.report_of(uids["StudyInstanceUID"])
        assert measured(report)[0] == images[0].SOPInstanceUID
        assert send(listener.port, encode(seg(4))) == [0]
        line = listener.wait("", problem="too-large")
        assert "of it and of 30 images, expected at most 2500000" in line["message"]
    assert sum(map(len, files)) > 15_000_000
