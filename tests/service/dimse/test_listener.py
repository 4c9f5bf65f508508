"""What is sent to the process comes back as a report at its target: the real command, both ends."""

import pytest
from pydicom.uid import Comprehensive3DSRStorage

from .peers import send


def measured(report):
    """Return the images that a report's regions select."""
    groups = report.ContentSequence[-1].ContentSequence
    return [
        found.ContentSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for group in groups
        for found in group.ContentSequence
        if found.ValueType == "SCOORD"
    ]


@pytest.mark.parametrize("kind", ["seg", "rtstruct", "sr"])
@pytest.mark.parametrize("first", ["image", "annotation"])
def test_an_annotation_and_its_slices_in_any_order(listener, study, encode, kind, first):
    images = [encode(image) for image in study.images]
    annotation = encode(getattr(study, kind))
    files = [*images, annotation] if first == "image" else [annotation, *images]
    assert send(listener.port, *files) == [0] * 4
    report = listener.target.received.get(timeout=20)
    assert report.SOPClassUID == Comprehensive3DSRStorage
    assert report.StudyInstanceUID == study.images[0].StudyInstanceUID
    assert report.PatientID == "SECRET-1"
    assert measured(report) == [study.images[1].SOPInstanceUID]
