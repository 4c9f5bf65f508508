"""A report takes the image's own patient and study, unchanged; without UIDs there is none."""

from datetime import UTC, datetime

import pytest
from pydicom.uid import ImplicitVRLittleEndian

from service.problems import ReportError
from service.report.source import local_time, read_source


def test_what_is_the_images_own(make_ct, encode):
    image = make_ct(
        StudyDate="20260102",
        StudyTime="030405.67",
        AccessionNumber="A-1",
        StudyDescription="Abdomen",
        IssuerOfPatientID="Ward",
        SyntheticData="YES",
    )
    source = read_source(encode(image, ImplicitVRLittleEndian))
    for keyword in (
        *("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"),
        *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime"),
        *("AccessionNumber", "StudyDescription", "IssuerOfPatientID", "SyntheticData"),
    ):
        assert source[keyword].value == image[keyword].value, keyword
    assert "PixelData" not in source
    assert "SpecificCharacterSet" not in source


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 192", "Σωκράτης"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_names_in_other_letters_are_kept(make_ct, encode, character_set, name):
    image = make_ct(SpecificCharacterSet=character_set, PatientName=name)
    source = read_source(encode(image))
    assert str(source.PatientName) == name
    assert source.SpecificCharacterSet == "ISO_IR 192"


def test_a_name_that_cannot_be_spelled_is_not_changed_silently(make_ct, encode):
    image = make_ct(SpecificCharacterSet="ISO_IR 192")
    data = encode(image).replace(b"Secret^Patient", b"Secret^Pat\xff\xffnt")
    with pytest.raises(ReportError, match="PatientName") as refusal:
        read_source(data)
    assert "Secret" not in str(refusal.value)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # as they are written, here
def test_what_is_no_valid_date_time_or_sex_is_left_empty(make_ct, encode):
    image = make_ct(
        PatientSex="male",
        PatientBirthDate="1900",
        StudyDate="20261399",
        StudyTime="25",
        TimezoneOffsetFromUTC="UTC",
    )
    source = read_source(encode(image))
    for keyword in ("PatientSex", "PatientBirthDate", "StudyDate", "StudyTime"):
        assert not source[keyword].value, keyword
    assert "TimezoneOffsetFromUTC" not in source


@pytest.mark.parametrize(
    ("keyword", "tag"),
    [
        ("SOPInstanceUID", "(0008,0018)"),
        ("StudyInstanceUID", "(0020,000D)"),
        ("SeriesInstanceUID", "(0020,000E)"),
    ],
)
@pytest.mark.parametrize("value", ["", None, "not.a.uid"])
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_without_uids_there_is_no_report(make_ct, encode, keyword, tag, value):
    data = encode(make_ct(**{keyword: value}))
    with pytest.raises(ReportError) as refusal:
        read_source(data)
    assert f"{keyword} {tag}" in str(refusal.value)
    assert "Secret" not in str(refusal.value)


def test_a_moment_in_the_images_time_zone(make_ct, encode):
    moment = datetime(2026, 11, 23, 4, 5, tzinfo=UTC)
    assert local_time(read_source(encode(make_ct())), moment) is moment
    there = read_source(encode(make_ct(TimezoneOffsetFromUTC="+0545")))
    assert local_time(there, moment).isoformat() == "2026-11-23T09:50:00+05:45"
