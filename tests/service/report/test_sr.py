"""A report is valid in the eyes of others, and says what the answer says."""

import copy
from io import BytesIO

import numpy as np
import pytest
from highdicom.sr import srread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import Comprehensive3DSRStorage, EnhancedCTImageStorage, generate_uid

from lesion.classes import OWN_SCHEME, UNDETERMINED
from lesion.errors import InputError
from service.problems import ReportError
from service.report.measurements import probability_of
from service.report.source import read_source
from service.report.sr import DESCRIPTION, MOST_POINTS, Line, statement, structured_report
from service.report.uids import IMPLEMENTATION_CLASS_UID
from service.report.write import part10_file
from training.phantom.classes import CLASSES

CODES = {str(name): name.code for name in CLASSES}


@pytest.fixture
def lines(contour):
    return [Line(contour + 3 * i) for i in range(len(CLASSES))]


def _code():
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator = "113100", "DCM"
    code.CodeMeaning = "Basic Application Confidentiality Profile"
    return code


@pytest.fixture
def build(source, answer_for, lines, made_at):
    def report(source=source, lines=lines, **changes):
        answer = answer_for(source, **changes)
        return structured_report([source], answer, lines, CODES, made_at=made_at)

    return report


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # in the images
def test_it_is_valid_whatever_the_image_holds(build, dciodvfy, make_ct, encode, source):
    def of(**attributes):
        return read_source(encode(make_ct(**attributes)))

    images = [
        source,
        of(PatientName=None, PatientID="", PatientBirthDate="", PatientSex=None, StudyID=None),
        of(SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Jürgen", SyntheticData="YES"),
        of(TimezoneOffsetFromUTC="+0530", PatientIdentityRemoved="NO"),
        of(StudyDate="2026.01.02", StudyTime="12:00", PatientSex="X"),
        of(PatientIdentityRemoved="YES", DeidentificationMethod="removed"),
        of(PatientIdentityRemoved="YES", DeidentificationMethodCodeSequence=[_code()]),
        of(PatientIdentityRemoved="YES"),
    ]
    for image in images:
        assert not dciodvfy(part10_file(build(image)))
    assert not dciodvfy(part10_file(build(name="b" * 63)))  # the longest of a bundle
    source.SOPClassUID = EnhancedCTImageStorage
    assert not dciodvfy(part10_file(build(frames=(1, 2, 2))))


ATTRIBUTES = [
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
    *("StudyID", "AccessionNumber", "ReferringPhysicianName", "StudyDescription"),
    *("IssuerOfPatientID", "TimezoneOffsetFromUTC", "InstanceNumber", "SpecificCharacterSet"),
    *("PatientIdentityRemoved", "DeidentificationMethod", "SyntheticData"),
]


@given(
    attributes=st.dictionaries(
        st.sampled_from(ATTRIBUTES),
        st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=70)
        | st.from_regex(r"[0-9+.:^=\\ -]{1,14}", fullmatch=True),
        max_size=6,
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore")  # of pydicom, which writes what no CT should hold
def test_whatever_stands_there_makes_a_report_or_is_refused(
    make_ct, encode, answer_for, lines, made_at, attributes
):
    image = make_ct()
    for keyword, text in attributes.items():
        value = text.encode("latin-1")
        vr = dictionary_VR(keyword)
        image[keyword] = RawDataElement(
            tag_for_keyword(keyword), vr, len(value), value, 0, False, True
        )
    try:
        source = read_source(encode(image))
    except InputError:
        return
    report = structured_report([source], answer_for(source), lines, CODES, made_at=made_at)
    again = dcmread(BytesIO(part10_file(report)))
    assert again.SOPInstanceUID == report.SOPInstanceUID
    assert str(again.get("PatientID", "")).strip(" ") == str(source.PatientID).strip(" ")


def test_it_follows_its_template(build, pixelmed):
    said = pixelmed(part10_file(build()))
    assert "Found Root Template TID_1500" in said
    assert "IOD validation complete" in said
    assert "Error" not in said


def test_highdicom_reads_back_what_the_answer_says(build, source, answer_for, lines):
    document = srread(BytesIO(part10_file(build())))
    answer = answer_for(source)
    groups = document.content.get_planar_roi_measurement_groups()
    assert len(groups) == len(answer.lesions)
    for number, (group, lesion, line) in enumerate(zip(groups, answer.lesions, lines, strict=True)):
        corners = group.roi.value
        np.testing.assert_array_equal(corners[:-1], line.corners_px)
        np.testing.assert_array_equal(corners[-1], corners[0])
        assert group.roi.graphic_type.value == "POLYLINE"
        (image,) = group.roi.ContentSequence
        assert image.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert group.tracking_identifier == f"Lesion {number + 1}"
        assert group.finding_type.value == lesion.code.value
        assert group.finding_sites[0].value == codes.SCT.Liver
        read = {}
        for name in CLASSES:
            (measured,) = group.get_measurements(name=probability_of(name))
            assert measured.name.meaning == f"Probability of {name}"
            (modifier,) = measured[0].ContentSequence
            assert (modifier.name, modifier.value.value) == (codes.DCM.Finding, name.code.value)
            read[name] = measured.value
        assert read == {name: 98.8 if name == lesion.label else 0.6 for name in CLASSES}
        assert sum(read.values()) == pytest.approx(100)
        (diameter,) = group.get_measurements(name=codes.SCT.LongAxis)
        assert diameter.value == 18.6
        assert diameter.unit == codes.UCUM.Millimeter
        texts = {
            item.name.meaning: item.value
            for item in group[0].ContentSequence
            if item.ValueType == "TEXT"
        }
        assert texts["Algorithm Version"] == answer.model.digest
        assert texts["Algorithm Name"] == "Hepatica default 0.1.0"
        assert texts["Comment"] == statement(lesion)
    assert groups[-1].finding_type.value == UNDETERMINED.value


def test_a_class_of_any_name_has_a_concept_of_its_own(build, dciodvfy):
    name = "focal-nodular-hyperplasia"
    concept = probability_of(name)
    assert concept.value == f"P-{name}"  # too long for a Code Value (0008,0100)
    report = build()
    report.ContentSequence[-1].ContentSequence[0].ContentSequence[8].ConceptNameCodeSequence = [
        concept
    ]
    assert not dciodvfy(part10_file(report))
    assert name in str(dcmread(BytesIO(part10_file(report))))


def test_what_viewers_look_for(build, source):
    """Containers that no viewer runs together, the images, and whose codes they are."""
    report = dcmread(BytesIO(part10_file(build())))
    containers = [item for item in report.iterall() if item.keyword == "ContinuityOfContent"]
    assert {item.value for item in containers} == {"SEPARATE"}
    assert len(containers) == 2 + 2 + len(CLASSES)

    contents = {
        item.ConceptNameCodeSequence[0].CodeMeaning: item for item in report.ContentSequence
    }
    (group,) = contents["Image Library"].ContentSequence
    images = [item for item in group.ContentSequence if item.ValueType == "IMAGE"]
    named = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in images]
    assert named == [source.SOPInstanceUID]
    (scheme,) = report.CodingSchemeIdentificationSequence
    assert scheme.CodingSchemeDesignator == OWN_SCHEME


def test_it_is_no_diagnosis_and_nobody_verified_it(build, source, answer_for):
    report = build()
    assert report.SOPClassUID == Comprehensive3DSRStorage
    assert report.VerificationFlag == "UNVERIFIED"
    assert report.PreliminaryFlag == "PRELIMINARY"
    assert report.CompletionFlag == "COMPLETE"
    assert report.SeriesDescription == DESCRIPTION
    assert all(words in DESCRIPTION for words in ("AI", "research only", "no diagnosis"))
    for lesion in answer_for(source).lesions:
        words = statement(lesion)
        assert f"most similar of the classes {', '.join(CLASSES)}, not a diagnosis" in words
        assert f"not a diagnosis: {lesion.label}." in words
        assert "Research use only" in words
        assert ("Undetermined" in words) == lesion.abstained
        assert "the square leaves the image" in words
        assert f"Prediction set: {lesion.label}." in words
    none = lesion.model_copy(update={"prediction_set": []})
    assert "Prediction set: no class." in statement(none)


def test_it_is_filed_beside_its_image(build, source, made_at):
    report = dcmread(BytesIO(part10_file(build())))
    for keyword in ("StudyInstanceUID", "PatientName", "PatientID", "StudyDate", "StudyTime"):
        assert report[keyword].value == source[keyword].value
    assert report.SeriesInstanceUID != source.SeriesInstanceUID
    assert report.InstanceNumber == 7
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    (image,) = series.ReferencedSOPSequence
    assert series.SeriesInstanceUID == source.SeriesInstanceUID
    assert image.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert report.ContentDate == report.InstanceCreationDate == "20261123"
    assert report.ContentTime == report.InstanceCreationTime == "040506.789000"
    assert report.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert report.preamble == bytes(128)


def test_times_are_in_the_images_own_time_zone(build, make_ct, encode):
    report = build(read_source(encode(make_ct(TimezoneOffsetFromUTC="-0930"))))
    assert report.TimezoneOffsetFromUTC == "-0930"
    assert (str(report.ContentDate), str(report.ContentTime)) == ("20261122", "183506.789000")


def test_several_images_and_frames_make_one_report(source, answer_for, lines, made_at):
    other = copy.deepcopy(source)
    other.SOPInstanceUID = generate_uid()
    answer = answer_for(source)
    moved = answer.lesions[1].image.model_copy(
        update={"sop_instance_uid": str(other.SOPInstanceUID), "frame_number": 4}
    )
    second = answer.lesions[1].model_copy(update={"image": moved})
    answer = answer.model_copy(update={"lesions": [answer.lesions[0], second, answer.lesions[2]]})
    report = structured_report([source, other], answer, lines, CODES, made_at=made_at)
    groups = srread(BytesIO(part10_file(report))).content.get_planar_roi_measurement_groups()
    named = [group.roi.ContentSequence[0].ReferencedSOPSequence[0] for group in groups]
    assert [item.ReferencedSOPInstanceUID for item in named] == [
        source.SOPInstanceUID,
        other.SOPInstanceUID,
        source.SOPInstanceUID,
    ]
    assert named[1].ReferencedFrameNumber == 4
    assert "ReferencedFrameNumber" not in named[0]
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    assert len(study.ReferencedSeriesSequence[0].ReferencedSOPSequence) == 2


def uids(report):
    groups = report.ContentSequence[-1].ContentSequence
    tracking = [
        str(item.UID)
        for group in groups
        for item in group.ContentSequence
        if item.ValueType == "UIDREF"
    ]
    return str(report.SOPInstanceUID), tracking


def test_the_same_is_the_same_report_and_another_is_another(build, make_ct, encode, lines, source):
    instance, tracking = uids(build())
    assert uids(build()) == (instance, tracking)
    assert len(set(tracking)) == len(CLASSES)

    by_another_bundle = uids(build(digest="cd" * 32))
    assert by_another_bundle[0] != instance
    assert by_another_bundle[1] == tracking  # they look at the same lesions

    moved = [Line(lines[0].corners_px + 0.5), *lines[1:]]
    elsewhere = uids(build(lines=moved))
    assert elsewhere[0] != instance
    assert elsewhere[1][0] != tracking[0]
    assert elsewhere[1][1:] == tracking[1:]

    on_another_image = uids(build(read_source(encode(make_ct()))))
    assert on_another_image[0] != instance
    assert not set(on_another_image[1]) & set(tracking)
    assert uids(build(frames=(None, None, 3)))[0] != instance


def test_who_tracks_a_lesion_already_goes_on_tracking_it(build, lines):
    mine, shared = str(generate_uid()), str(generate_uid())
    tracked = [lines[0]._replace(tracking_uid=mine), *lines[1:]]
    instance, tracking = uids(build(lines=tracked))
    assert tracking[0] == mine
    assert instance != uids(build())[0]
    # Of two lesions it is not known which is meant.
    both = [line._replace(tracking_uid=shared) for line in lines]
    assert uids(build(lines=both))[1] == uids(build())[1]


def test_an_outline_too_long_for_a_region_is_refused(build, lines):
    ring = np.zeros((MOST_POINTS, 2))
    with pytest.raises(ReportError, match=r"found an outline of 8190 corners"):
        build(lines=[Line(ring), *lines[1:]])
    longest = [Line(ring[1:]), *lines[1:]]
    assert part10_file(build(lines=longest))
