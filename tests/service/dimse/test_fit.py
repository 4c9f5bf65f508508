"""An annotation whose images are not there: by geometry, where one series alone fits."""

from copy import deepcopy

import pytest
from pydicom.uid import generate_uid

from .conftest import peers_file
from .peers import eventually, send
from .test_listener import measured


def another_series(images, *, up_mm=0.0, **attributes):
    """Return a series of the same study and frame of reference, so far above the other."""
    uid, made = generate_uid(), []
    for image in images:
        copy = deepcopy(image)
        copy.SOPInstanceUID, copy.SeriesInstanceUID = generate_uid(), uid
        x, y, z = copy.ImagePositionPatient
        copy.ImagePositionPatient = [x, y, z + up_mm]
        for keyword, value in attributes.items():
            setattr(copy, keyword, value)
        made.append(copy)
    return made


@pytest.fixture
def unnamed(study):
    """A SEG of three slices that names none of them."""
    for frame in study.seg.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    return study.seg


def test_the_one_series_on_whose_planes_it_lies(listener, study, unnamed, encode):
    other = another_series(study.images, up_mm=1.5)
    assert send(listener.port, *map(encode, [unnamed, *other, *study.images])) == [0] * 7
    assert measured(listener.target.report_of(study.uid)) == [study.images[1].SOPInstanceUID]


def test_several_phases_share_frame_and_planes(listener, study, unnamed, encode, is_well):
    """It is refused, and the log says which they are."""
    refused = listener.metric("jobs_total", outcome="series")
    later = another_series(study.images, SeriesNumber=7)
    assert send(listener.port, *map(encode, [unnamed, *later, *study.images])) == [0] * 7
    eventually(lambda: listener.metric("jobs_total", outcome="series") == refused + 1)
    line = [line for line in listener.said() if line.get("problem") == "series"][-1]
    assert "2 series on whose planes it lies, of Series Number (0020,0011)" in line["message"]
    assert "1 (3 images)" in line["message"]
    assert "7 (3 images)" in line["message"]
    assert study.uid not in line["message"]
    is_well(listener, listener.target)
    assert listener.target.received.empty()


def test_a_series_of_another_patient_does_not_stand_in(listener, study, unnamed, encode):
    """Whatever the geometry says."""
    refused = listener.metric("jobs_total", outcome="patient-mismatch")
    other = another_series(study.images, up_mm=1.5)
    unnamed.PatientID = "SECRET-2"
    assert send(listener.port, *map(encode, [unnamed, *other, *study.images])) == [0] * 7
    eventually(lambda: listener.metric("jobs_total", outcome="patient-mismatch") == refused + 1)


@pytest.fixture
def renamed(study):
    """A SEG whose images and series have other UIDs than those it names."""
    for frame in study.seg.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        source.ReferencedSOPInstanceUID = generate_uid()
    return study.seg


def test_images_whose_uids_were_rewritten(spawn, target, study, renamed, encode):
    with spawn(peers_file(target.port)) as listener:
        assert send(listener.port, *map(encode, [renamed, *study.images])) == [0] * 4
        report = target.report_of(study.uid, seconds=10)
    assert measured(report) == [study.images[1].SOPInstanceUID]


def test_no_series_fits(spawn, target, study, renamed, encode):
    """It waits on, and is dropped once its time is over; what comes meanwhile is looked at."""
    elsewhere = another_series(study.images, up_mm=1.5)
    with spawn(peers_file(target.port), retention_s=4) as listener:
        assert send(listener.port, *map(encode, [renamed, *elsewhere])) == [0] * 4
        line = listener.wait("", problem="no-series")
        assert "on none of 1 series" in line["message"]
        assert listener.metric("annotations_waiting") == 1
        further = another_series(study.images, up_mm=50)
        assert send(listener.port, *map(encode, further)) == [0] * 3
        line = listener.wait("", count=2, problem="no-series")
        assert "on none of 2 series" in line["message"]
        dropped = listener.wait("an annotation was dropped without a report", problem="unmatched")
        assert dropped["why"] == "no images came that it fits"
        assert listener.metric("jobs_total", outcome="unmatched") == 1
    assert target.received.empty()
    assert sum(line.get("problem") == "no-series" for line in listener.said()) == 2


def test_select_is_the_sender_s(spawn, target, study, make_seg, encode):
    """Of two segments that one sender's annotations hold, the one that it is to be asked for."""
    senders = "[senders.SENDER]\nselect = 'right'\n[senders.OTHER]\n"
    for at, label in enumerate(("left", "right")):
        item = study.seg.SegmentSequence[0] if not at else deepcopy(study.seg.SegmentSequence[0])
        item.SegmentNumber, item.SegmentLabel = at + 1, label
        if at:
            study.seg.SegmentSequence.append(item)
    groups = study.seg.PerFrameFunctionalGroupsSequence
    groups[2].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 2
    files = [encode(made) for made in (*study.images, study.seg)]
    with spawn(peers_file(target.port, senders)) as listener:
        assert send(listener.port, *files) == [0] * 4
        assert measured(target.report_of(study.uid)) == [study.images[2].SOPInstanceUID]
        study.seg.SOPInstanceUID = generate_uid()
        assert send(listener.port, encode(study.seg), calling="OTHER") == [0]
        assert measured(target.report_of(study.uid)) == [
            study.images[1].SOPInstanceUID,
            study.images[2].SOPInstanceUID,
        ]
