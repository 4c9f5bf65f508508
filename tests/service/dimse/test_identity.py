"""Who an object is and which slices it is about, read within bounds."""

from dataclasses import asdict

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    generate_uid,
)

from lesion.errors import InputError, NotCTError, TooLargeError
from lesion.image.dicom import open_ct
from service.dimse import identity
from service.dimse.identity import IdentityError, identify, refusal_status
from service.report.uids import MANUFACTURER

from .conftest import item


def of(dataset, encode, *, syntax=ExplicitVRLittleEndian):
    data = encode(dataset, syntax)
    return identify(data, sop_class=UID(dataset.SOPClassUID), instance=str(dataset.SOPInstanceUID))


def test_who_an_image_is(study, encode):
    image = study.images[0]
    found = of(image, encode)
    assert found.kind == "ct"
    assert (found.instance, found.study, found.series, found.frame_of_reference) == (
        image.SOPInstanceUID,
        image.StudyInstanceUID,
        image.SeriesInstanceUID,
        image.FrameOfReferenceUID,
    )
    assert found.ignored == ""
    assert all(type(value) in {str, int, tuple} for value in asdict(found).values())


@pytest.mark.parametrize("kind", ["seg", "rtstruct", "sr"])
def test_which_images_an_annotation_draws_on(study, encode, kind):
    found = of(getattr(study, kind), encode)
    images = study.images if kind == "seg" else study.images[1:2]
    assert found.kind == kind
    assert found.references == tuple(image.SOPInstanceUID for image in images)
    assert found.study == study.uid


def test_an_annotation_that_names_no_image_names_its_frame_and_series(study, encode):
    frame, series = study.images[0].FrameOfReferenceUID, study.images[0].SeriesInstanceUID
    named = [item(SeriesInstanceUID=series)]
    for group in study.seg.PerFrameFunctionalGroupsSequence:
        del group.DerivationImageSequence
    study.seg.ReferencedSeriesSequence = named
    contour = study.rtstruct.ROIContourSequence[0].ContourSequence[0]
    del contour.ContourImageSequence, study.rtstruct.FrameOfReferenceUID
    study.rtstruct.ReferencedFrameOfReferenceSequence = [
        item(
            FrameOfReferenceUID=frame,
            RTReferencedStudySequence=[item(RTReferencedSeriesSequence=named)],
        )
    ]
    group = study.sr.ContentSequence[0].ContentSequence[0]
    group.ContentSequence = [item(ValueType="SCOORD3D", ReferencedFrameOfReferenceUID=frame)]
    study.sr.CurrentRequestedProcedureEvidenceSequence = [item(ReferencedSeriesSequence=named)]
    for annotation in (study.seg, study.rtstruct, study.sr):
        found = of(annotation, encode)
        assert (found.references, found.frame_of_reference, found.series_named) == (
            (),
            frame,
            (series,),
        )


def test_a_region_that_a_measurement_is_inferred_from(study, encode):
    """As a popular web viewer writes it."""
    group = study.sr.ContentSequence[0].ContentSequence[0]
    named = of(study.sr, encode).references
    group.ContentSequence = [item(ValueType="NUM", ContentSequence=group.ContentSequence)]
    assert of(study.sr, encode).references == named == (study.images[1].SOPInstanceUID,)
    region = item(ValueType="SCOORD3D", ReferencedFrameOfReferenceUID="1.2.3")
    group.ContentSequence = [item(ValueType="NUM", ContentSequence=[region])]
    found = of(study.sr, encode)
    assert (found.references, found.frame_of_reference) == ((), "1.2.3")


def test_the_frame_of_reference_that_rois_name(study, encode):
    roi = study.rtstruct.StructureSetROISequence[0]
    assert of(study.rtstruct, encode).frame_of_reference == roi.ReferencedFrameOfReferenceUID
    study.rtstruct.StructureSetROISequence.append(item(ReferencedFrameOfReferenceUID="1.2.3"))
    assert of(study.rtstruct, encode).frame_of_reference == ""


def test_what_nothing_is_made_of(study, encode):
    study.sr.Manufacturer = MANUFACTURER
    study.images[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    assert of(study.sr, encode).ignored == "own-report"
    assert of(study.images[0], encode).ignored == "localizer"


@pytest.mark.parametrize(
    "change",
    [
        {"SOPInstanceUID": "1.2.3"},
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"},
        {"StudyInstanceUID": ""},
        {"SeriesInstanceUID": "1.2.."},
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
def test_another_object_than_announced(make_ct, encode, change):
    image = make_ct()
    announced = {"sop_class": UID(image.SOPClassUID), "instance": str(image.SOPInstanceUID)}
    for keyword, value in change.items():
        setattr(image, keyword, value)
    with pytest.raises(IdentityError) as refused:
        identify(encode(image), **announced)
    assert refusal_status(refused.value) == 0xA900
    assert "1.2.3" not in str(refused.value)


def test_more_references_than_any_scan_has_slices(study, encode, monkeypatch):
    monkeypatch.setattr(identity, "MOST_REFERENCES", 2)
    with pytest.raises(TooLargeError, match="seg: found references to 3 images and 0 series"):
        of(study.seg, encode)
    assert refusal_status(TooLargeError()) == refusal_status(NotCTError()) == 0xC000


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, JPEG2000Lossless],
)
def test_the_head_of_an_image_says_where_it_lies(make_ct, encode, syntax):
    image = make_ct(np.full((40, 50), 60.0))
    if syntax == JPEG2000Lossless:
        encode(image)
        image.compress(syntax)
    data = encode(image, syntax)
    head = of(image, encode, syntax=syntax).head
    assert 500 < head < len(data) - 100
    assert open_ct(data[:head]).places == open_ct(data).places


def test_a_deflated_image_has_no_head(make_ct, encode):
    assert of(make_ct(), encode, syntax=DeflatedExplicitVRLittleEndian).head == 0


def test_whatever_is_cut_is_refused_or_read(study, encode):
    image = study.images[0]
    announced = {"sop_class": UID(image.SOPClassUID), "instance": str(image.SOPInstanceUID)}
    data = encode(image)
    for size in range(140, 2000, 37):
        try:
            found = identify(data[:size], **announced)
        except InputError:
            continue
        assert found.head <= size


def test_uids_that_are_none_are_left_out(study, encode):
    other = generate_uid()
    source = study.seg.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0]
    source.SourceImageSequence.append(item(ReferencedSOPInstanceUID=other))
    source.SourceImageSequence.append(item(ReferencedSOPInstanceUID=""))
    assert len(of(study.seg, encode).references) == 4


def test_a_region_within_a_measurement_names_its_image(study, encode):
    """As web viewers write it."""
    group = study.sr.ContentSequence[-1].ContentSequence[0]
    regions = [one for one in group.ContentSequence if one.ValueType == "SCOORD"]
    others = [one for one in group.ContentSequence if one.ValueType != "SCOORD"]
    group.ContentSequence = [*others, item(ValueType="NUM", ContentSequence=regions)]
    found = of(study.sr, encode)
    assert found.references == (study.images[1].SOPInstanceUID,)
