"""Whether files are of one patient: by what they state, however it is written."""

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from lesion.errors import PatientMismatchError, UnreadableImageError, UnreadableOutlineError
from lesion.patient import check_one_patient
from lesion.warning import STUDY_DIFFERS

MASK = np.ones((40, 50), bool)


@pytest.fixture
def pair(make_ct, make_seg, encode):
    """Write an image and a SEG of one study, each with attributes of its own."""

    def written(image=(), annotation=(), syntax=ImplicitVRLittleEndian):
        ct = make_ct(PatientID=None)
        seg = make_seg(ct, [(1, MASK)], StudyInstanceUID=ct.StudyInstanceUID)
        for dataset, attributes in ((ct, image), (seg, annotation)):
            for keyword, value in dict(attributes).items():
                if isinstance(value, bytes):  # as it is to stand in the file
                    dataset.add_new(keyword, "LO", value)
                else:
                    setattr(dataset, keyword, value)
        return encode(ct, syntax), encode(seg, syntax)

    return written


def identified(patient=None, issuer=None, character_set=None):
    stated = {
        "SpecificCharacterSet": character_set,
        "PatientID": patient,
        "IssuerOfPatientID": issuer,
    }
    return {keyword: value for keyword, value in stated.items() if value is not None}


SAME = {
    "equal": (identified("A1"), identified("A1")),
    "spaces": (identified(" A1  "), identified("A1")),
    "a null byte": (identified(b"A1\0\0"), identified("A1")),
    "one states none": (identified("A1"), identified()),
    "one is empty": (identified(""), identified("A1")),
    "one is blank": (identified("    "), identified("A1")),
    "none states any": (identified(), identified()),
    "an issuer once": (identified("A1", "HOSPITAL"), identified("A1")),
    "issuers without an id": (identified("A1", "ONE"), identified(None, "TWO")),
    "issuers' spaces": (identified("A1", "HOSPITAL "), identified("A1", "HOSPITAL")),
    "other character sets": (
        identified("Jos\xe9".encode("latin-1"), character_set="ISO_IR 100"),
        identified("Jos\xe9".encode(), character_set="ISO_IR 192"),
    ),
    "code extensions": (
        identified(b"\x1b$B;3ED\x1b(B", character_set=["", "ISO 2022 IR 87"]),
        identified("\u5c71\u7530".encode(), character_set="ISO_IR 192"),
    ),
    "a character set that was lost": (
        identified("Jos\xe9".encode(), character_set="ISO_IR 192"),
        identified("Jos\xe9".encode()),
    ),
    "nothing that can be decoded": (
        identified(b"\xff\xfe1", character_set="ISO_IR 192"),
        identified(b"\xff\xfe1 ", character_set="ISO_IR 192"),
    ),
}

DIFFERENT = {
    "other ids": (identified("A1"), identified("B1")),
    "case": (identified("A1"), identified("a1")),
    "leading zeros": (identified("0042"), identified("42")),
    "spaces within": (identified("A 1"), identified("A1")),
    "issuers": (identified("A1", "ONE"), identified("A1", "TWO")),
    "other ids of one issuer": (identified("A1", "ONE"), identified("B1", "ONE")),
    "letters beyond ASCII": (
        identified("Jos\xe9".encode(), character_set="ISO_IR 192"),
        identified("Jos\xe8".encode(), character_set="ISO_IR 192"),
    ),
    "nothing that can be decoded": (
        identified(b"\xff\xfe1", character_set="ISO_IR 192"),
        identified(b"\xff\xfe2", character_set="ISO_IR 192"),
    ),
    "no common text": (
        identified(b"\xff\xfe1", character_set="ISO_IR 192"),
        identified("A1"),
    ),
    "a long one": (identified(b"A" * 9999 + b"1"), identified(b"A" * 9999 + b"2")),
}


@pytest.mark.parametrize(("image", "annotation"), SAME.values(), ids=SAME)
def test_files_of_one_patient_or_of_nobody(pair, image, annotation):
    one, other = pair(image, annotation)
    assert check_one_patient([one], other) == ()


@pytest.mark.parametrize(("image", "annotation"), DIFFERENT.values(), ids=DIFFERENT)
def test_files_of_two_patients(pair, image, annotation):
    one, other = pair(image, annotation)
    for files in (([one], other), ([other], one), ([one, other], None)):
        with pytest.raises(PatientMismatchError, match="expected those of one patient") as caught:
            check_one_patient(*files)
        said = str(caught.value)
        assert not [word for word in ("A1", "B1", "0042", "ONE", "TWO", "AAA") if word in said]


@pytest.mark.parametrize("syntax", [ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_transfer_syntaxes(pair, syntax):
    one, other = pair(identified("A1"), identified("B1"), syntax)
    with pytest.raises(PatientMismatchError):
        check_one_patient([one], other)
    assert check_one_patient(pair(identified("A1"), identified("A1"), syntax)) == ()


def test_two_issuers_with_an_image_between_that_states_none(pair):
    files = [pair(identified("A1", issuer))[0] for issuer in (None, "ONE", "TWO")]
    assert check_one_patient(files[:2])
    with pytest.raises(PatientMismatchError, match="Issuer of Patient ID"):
        check_one_patient(files)


def test_an_id_under_another_vr_of_text(make_ct, encode):
    one, other = make_ct(PatientID="A1"), make_ct(PatientID=None)
    other.add_new("PatientID", "SH", "A1")
    assert check_one_patient([encode(one), encode(other)]) == (STUDY_DIFFERS,)
    other["PatientID"].value = "B1"
    with pytest.raises(PatientMismatchError):
        check_one_patient([encode(one), encode(other)])


def test_an_id_out_of_its_order_where_a_report_would_find_it(make_ct, encode):
    """Patient ID stands behind Series Instance UID, though elements are to ascend."""
    one, other = encode(make_ct(PatientID="A1")), encode(make_ct(PatientID="B1", InstanceNumber=1))
    element = b"\x10\0\x20\0LO\x02\0B1"
    series = other.index(b"\x20\0\x0e\0UI")
    end = series + 8 + int.from_bytes(other[series + 6 : series + 8], "little")
    moved = other[:end].replace(element, b"") + element + other[end:]
    with pytest.raises(PatientMismatchError):
        check_one_patient([one, moved])


def test_an_unknown_character_set(pair):
    """Whoever does not know what the bytes mean can still compare them."""
    one, other = (
        file.replace(b"ISO_IR 100", b"NONE SUCH ")
        for file in pair(identified("A1", None, "ISO_IR 100"), identified("A1"))
    )
    assert check_one_patient([one], other) == ()


def test_other_studies_are_told(pair):
    one, other = pair(identified("A1"), identified("A1") | {"StudyInstanceUID": "1.2.3"})
    assert check_one_patient([one], other) == (STUDY_DIFFERS,)
    one, other = pair(identified("A1"), {"StudyInstanceUID": ""})
    assert check_one_patient([one], other) == ()


@pytest.mark.parametrize("undefined_length", [False, True])
def test_an_id_that_is_no_text(make_ct, encode, undefined_length):
    odd = make_ct(PatientID=None)
    odd.add_new("PatientID", "SQ", [make_ct(PatientID="SECRET-2")])
    odd["PatientID"].is_undefined_length = undefined_length
    with pytest.raises(UnreadableImageError) as caught:
        check_one_patient([encode(make_ct()), encode(odd)])
    assert "SECRET" not in str(caught.value)


def test_an_annotation_that_cannot_be_read(pair):
    one, other = pair(identified("A1"), identified("A1"))
    with pytest.raises(UnreadableOutlineError, match="annotation: DICOM"):
        check_one_patient([one], other[: other.index(b"\x10\0\x20\0") + 9])
