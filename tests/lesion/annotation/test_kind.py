"""What a structure is: its code decides, then its category, then its label."""

import pytest
from pydicom.sr.codedict import codes

from lesion.annotation.kind import Kind, meaning_of, organ_of
from lesion.annotation.names import names_lesion
from lesion.annotation.structure import Concept, Structure, text_of
from lesion.warning import WarningCode
from training.phantom.classes import CLASSES

LESION, ANATOMY, OTHER, UNSPECIFIC = Kind
TISSUE, ABNORMAL = Concept("85756007", "SCT"), Concept("49755003", "SCT")
ANATOMICAL, OBJECT = Concept("91723000", "SCT"), Concept("260787004", "SCT")
LIVER = Concept("10200004", "SCT")
UNKNOWN = Concept("1", "99LOCAL")


def of(concept=None, label="", category=None, interpreted_type="", tracking_id=""):
    found = meaning_of(Structure(1, label, tracking_id, "", concept, category, interpreted_type))
    return found.kind, found.text, found.warning.code if found.warning else None


@pytest.mark.parametrize(
    ("value", "scheme", "kind", "text"),
    [
        ("10200004", "SCT", ANATOMY, "Liver"),
        ("T-62000", "SRT", ANATOMY, "Liver"),
        ("T-62000", "SNM3", ANATOMY, "Liver"),
        ("T-62000", "99SDM", ANATOMY, "Liver"),
        ("51114001", "SCT", ANATOMY, "Artery"),
        ("T-48000", "SRT", ANATOMY, "Vein"),
        ("272673000", "SCT", ANATOMY, "Bone"),
        ("3138006", "SCT", ANATOMY, "Bone"),
        ("T-D016E", "SRT", ANATOMY, "Bone"),
        ("T-99999", "SRT", ANATOMY, "Anatomical Structure"),
        ("52988006", "SCT", LESION, "Lesion"),
        ("M-01100", "SRT", LESION, "Lesion"),
        ("M-03000", "SRT", LESION, "Mass"),
        ("108369006", "SCT", LESION, "Neoplasm"),
        ("M-80006", "SRT", LESION, "Neoplasm, Secondary"),
        ("M-91200", "SRT", LESION, "Hemangioma"),
        ("79654002", "SCT", LESION, "Edema"),
        ("128462008", "SCT", LESION, "Metastasis"),
        ("1187425009", "SCT", LESION, "Carcinoma"),
        ("25370001", "SCT", LESION, "Hepatocellular carcinoma"),
        ("M-99999", "SRT", LESION, "Lesion"),
        ("17621005", "SCT", OTHER, "Normal"),
        ("125040", "DCM", OTHER, "Background"),
        ("74947009", "SCT", OTHER, "Gas"),
    ],
)
def test_the_type_decides_in_every_scheme(value, scheme, kind, text):
    for category in (None, TISSUE, ABNORMAL, ANATOMICAL, OBJECT, Concept("T-D0050", "SRT")):
        for label in ("", "Liver"):
            assert of(Concept(value, scheme), label, category) == (kind, text, None)


def test_the_classes_of_the_bundle_are_lesions():
    for name in CLASSES:
        assert of(Concept(name.code.value, name.code.scheme))[0] is LESION


def test_every_anatomical_structure_of_the_standard_is_anatomy():
    for code in codes.cid7192.concepts.values():
        assert of(Concept(code.value, code.scheme_designator)) == (ANATOMY, code.meaning, None)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        (ABNORMAL, LESION),
        (Concept("M-01000", "SRT"), LESION),
        (ANATOMICAL, ANATOMY),
        (Concept("T-D000A", "SRT"), ANATOMY),
        (OBJECT, OTHER),
        (TISSUE, UNSPECIFIC),
        (None, UNSPECIFIC),
    ],
)
def test_the_category_decides_where_the_type_is_not_known(category, kind):
    for concept in (UNKNOWN, None, TISSUE):
        found, _, warning = of(concept, category=category)
        assert found is kind
        assert warning == (WarningCode.STRUCTURE_UNSPECIFIC if kind is UNSPECIFIC else None)


@pytest.mark.parametrize("label", ["", "GREEN", "Segment_1", "liver lesion", "Liver edge"])
def test_tissue_is_read_with_a_warning(label):
    found = of(TISSUE, label, category=TISSUE)
    assert found == (UNSPECIFIC, "Tissue", WarningCode.STRUCTURE_UNSPECIFIC)


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("Liver", "Liver"),
        ("LIVER 1", "Liver"),
        ("left lobe of the liver", "Liver"),
        ("Leber", "Liver"),
        ("foie", "Liver"),
        ("Hígado", "Liver"),
        ("kidney_left", "Kidney"),
        ("Kidneys", "Kidney"),
        ("IVC", "Inferior vena cava"),
        ("PortalVein", "Portal vein"),
        ("L1 vertebra", "L1 vertebra"),
    ],
)
def test_tissue_and_what_has_no_code_is_anatomy_where_the_label_is_an_organs_name(label, meaning):
    assert of(TISSUE, label) == of(None, label) == (ANATOMY, meaning, None)


@pytest.mark.parametrize("label", ["", "1", "s", "Tissue", "Liver edge", "cystic", "ROI-1", "肝"])
def test_what_is_no_organs_name(label):
    assert organ_of(label) == ""


@pytest.mark.parametrize(
    "label",
    [
        *("liver tumour", "Lesion no 1", "LiverTumor", "HCC_2", "Läsion", "kyste", "LIVERTUMOR"),
        *("Lebermetastasen", "Leberläsion", "Nierenzyste 2", "cholangiocarcinoma"),
    ],
)
def test_a_lesions_name_has_the_better_of_an_anatomical_code(label):
    assert names_lesion(label)
    assert of(LIVER, label) == (LESION, "Liver", WarningCode.LESION_BY_LABEL)
    assert of(None, label)[::2] == (LESION, None)


@pytest.mark.parametrize(
    "label",
    [
        *("liver without tumour", "tumor-free liver", "healthy liver (no lesions)", "cystic"),
        *("liver W/O tumor", "liver (tumor excluded)", "Lymphknoten", "nontumor liver"),
    ],
)
def test_what_is_left_without_a_lesion_is_none(label):
    assert not names_lesion(label)
    assert of(LIVER, label)[0] is ANATOMY


@pytest.mark.parametrize(
    ("interpreted", "label", "kind", "warning"),
    [
        ("ORGAN", "", ANATOMY, None),
        ("EXTERNAL", "BODY", ANATOMY, None),
        ("ORGAN", "Tumor", LESION, WarningCode.LESION_BY_LABEL),
        ("MARKER", "tumor marker", OTHER, None),
        ("PTV", "PTV tumor", OTHER, None),
        ("GTV", "", LESION, None),
        ("", "Liver", ANATOMY, None),
        ("", "cyst", LESION, None),
        ("", "ROI-1", UNSPECIFIC, WarningCode.STRUCTURE_UNSPECIFIC),
        ("WHATEVER", "ROI-1", UNSPECIFIC, WarningCode.STRUCTURE_UNSPECIFIC),
    ],
)
def test_the_interpreted_type_of_an_roi_then_its_name(interpreted, label, kind, warning):
    assert of(None, label, interpreted_type=interpreted)[::2] == (kind, warning)


def test_a_text_is_one_line_of_text_and_not_too_long():
    assert text_of("  a\x00b\n c ") == "a b c"
    assert len(text_of("x" * 10_000)) == 256
    assert text_of(None) == text_of(3) == text_of([{"PatientName": "Secret"}]) == ""
