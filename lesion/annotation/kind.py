"""Decides whether a structure of an annotation is a lesion, anatomy or something else.

Its coded type decides, by DICOM's own tables (PS3.16), in SNOMED CT and in the SNOMED RT of older
files. Where the type says nothing, the category decides, or the interpreted type of an ROI; then
the label, which is free text. The anatomic region of a finding is not used: a lesion of the liver
lies in the liver.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from lesion.annotation import names
from lesion.annotation.structure import Concept, Structure
from lesion.warning import InputWarning, WarningCode


class Kind(StrEnum):
    """What a structure is. Lesions are read, and what nobody says of, with a warning."""

    LESION = "lesion"
    ANATOMY = "anatomy"
    OTHER = "other"
    UNSPECIFIC = "unspecific"


class Meaning(NamedTuple):
    """What a structure is, in our own words: those of the standard's tables, never of the file."""

    kind: Kind
    text: str
    warning: InputWarning | None = None


_UNSPECIFIC = InputWarning(
    WarningCode.STRUCTURE_UNSPECIFIC,
    "no code of the annotation says that the structure is a lesion: it is taken for one",
)

#: Context groups (PS3.16) of segmented property types. Later ones have the last word.
_OTHER_GROUPS = (7193, 7195, 7196, 7197, 7198)  # objects, functions, concepts, substances
_LESION_GROUPS = (7194, 639)  # morphologically abnormal structures, tumours by their histology
_ANATOMY_GROUPS = (7191, 7192)  # tissues, anatomical structures

#: What the groups do not hold, or hold for another purpose.
_SINGLE: dict[Concept, Meaning] = {
    Concept("85756007", "SCT"): Meaning(Kind.UNSPECIFIC, "Tissue"),
    Concept("17621005", "SCT"): Meaning(Kind.OTHER, "Normal"),
    Concept("125040", "DCM"): Meaning(Kind.OTHER, "Background"),
    Concept("49755003", "SCT"): Meaning(Kind.LESION, "Morphologically Abnormal Structure"),
    Concept("91723000", "SCT"): Meaning(Kind.ANATOMY, "Anatomical Structure"),
    Concept("123037004", "SCT"): Meaning(Kind.ANATOMY, "Anatomical Structure"),
    Concept("272673000", "SCT"): Meaning(Kind.ANATOMY, "Bone"),
    Concept("181268008", "SCT"): Meaning(Kind.ANATOMY, "Liver"),
    Concept("128462008", "SCT"): Meaning(Kind.LESION, "Metastasis"),
    Concept("25370001", "SCT"): Meaning(Kind.LESION, "Hepatocellular carcinoma"),
    Concept("126851005", "SCT"): Meaning(Kind.LESION, "Neoplasm of liver"),
    Concept("2099007", "SCT"): Meaning(Kind.LESION, "Hemangioma"),
    Concept("86049000", "SCT"): Meaning(Kind.LESION, "Malignant neoplasm, primary"),
    Concept("300331000", "SCT"): Meaning(Kind.LESION, "Lesion of liver"),
    Concept("85057007", "SCT"): Meaning(Kind.LESION, "Cyst of liver"),
    Concept("94381002", "SCT"): Meaning(Kind.LESION, "Metastatic malignant neoplasm to liver"),
    Concept("93469006", "SCT"): Meaning(Kind.LESION, "Hemangioma of liver"),
}

#: Categories (CID 7150) of what no table of types knows.
_CATEGORIES: dict[Concept, Meaning] = {
    Concept("49755003", "SCT"): Meaning(Kind.LESION, "Morphologically Abnormal Structure"),
    Concept("91723000", "SCT"): Meaning(Kind.ANATOMY, "Anatomical Structure"),
    Concept("123037004", "SCT"): Meaning(Kind.ANATOMY, "Anatomical Structure"),
    Concept("260787004", "SCT"): Meaning(Kind.OTHER, "Physical object"),
    Concept("91720002", "SCT"): Meaning(Kind.OTHER, "Body Substance"),
    Concept("105590001", "SCT"): Meaning(Kind.OTHER, "Substance"),
    Concept("246464006", "SCT"): Meaning(Kind.OTHER, "Function"),
    Concept("309825002", "SCT"): Meaning(Kind.OTHER, "Spatial and Relational Concept"),
}

#: Older names of SNOMED RT (PS3.16, 8), whose codes begin with the letter of their axis.
_RETIRED_SCHEMES = ("SRT", "SNM3", "99SDM")
_AXES = {"T": Meaning(Kind.ANATOMY, "Anatomical Structure"), "M": Meaning(Kind.LESION, "Lesion")}

#: RT ROI Interpreted Types (PS3.3, C.8.8.8.1), with their meanings there.
_INTERPRETED = {
    "GTV": Meaning(Kind.LESION, "gross tumor volume"),
    "ORGAN": Meaning(Kind.ANATOMY, "patient organ"),
    "EXTERNAL": Meaning(Kind.ANATOMY, "external patient contour"),
    "CAVITY": Meaning(Kind.ANATOMY, "patient anatomical cavity"),
    "PTV": Meaning(Kind.OTHER, "planning target volume"),
    "CTV": Meaning(Kind.OTHER, "clinical target volume"),
    "TREATED_VOLUME": Meaning(Kind.OTHER, "treated volume"),
    "IRRAD_VOLUME": Meaning(Kind.OTHER, "irradiated volume"),
    "BOLUS": Meaning(Kind.OTHER, "bolus"),
    "AVOIDANCE": Meaning(Kind.OTHER, "region in which dose is to be minimized"),
    "MARKER": Meaning(Kind.OTHER, "marker"),
    "REGISTRATION": Meaning(Kind.OTHER, "registration ROI"),
    "ISOCENTER": Meaning(Kind.OTHER, "treatment isocenter"),
    "CONTRAST_AGENT": Meaning(Kind.OTHER, "contrast agent"),
    "BRACHY_CHANNEL": Meaning(Kind.OTHER, "brachytherapy channel"),
    "BRACHY_ACCESSORY": Meaning(Kind.OTHER, "brachytherapy accessory device"),
    "BRACHY_SRC_APP": Meaning(Kind.OTHER, "brachytherapy source applicator"),
    "BRACHY_CHNL_SHLD": Meaning(Kind.OTHER, "brachytherapy channel shield"),
    "SUPPORT": Meaning(Kind.OTHER, "patient support device"),
    "FIXATION": Meaning(Kind.OTHER, "fixation or immobilisation device"),
    "DOSE_REGION": Meaning(Kind.OTHER, "dose reference"),
    "DOSE_MEASUREMENT": Meaning(Kind.OTHER, "dose measurement"),
    "CONTROL": Meaning(Kind.OTHER, "dose control"),
}


def meaning_of(structure: Structure) -> Meaning:
    """Tell what a structure is.

    A word for a lesion in the label has the better of an anatomical code, with a warning; the name
    of an organ counts where it is the whole label and no code says more than "tissue".
    """
    coded = _coded(structure)
    if coded.kind is Kind.ANATOMY and _names_lesion(structure):
        return Meaning(Kind.LESION, coded.text, _by_label(coded))
    if coded.kind is not Kind.UNSPECIFIC:
        return coded
    for label in (structure.label, structure.tracking_id):
        if organ := organ_of(label):
            return Meaning(Kind.ANATOMY, organ)
    if not coded.text and _names_lesion(structure):
        return Meaning(Kind.LESION, "")
    return coded._replace(warning=_UNSPECIFIC)


def organ_of(label: str) -> str:
    """Return the meaning of an organ's name that is the whole label; empty where it is none."""
    known = _organs()
    for text in (" ".join(names.words(label)), names.bare(label)):
        for name in (text, text.removesuffix("s")):
            if name in known:
                return known[name]
    return ""


def _names_lesion(structure: Structure) -> bool:
    return any(map(names.names_lesion, (structure.label, structure.tracking_id)))


def _by_label(coded: Meaning) -> InputWarning:
    return InputWarning(
        WarningCode.LESION_BY_LABEL,
        f"the structure is coded as anatomy ({coded.text}), and its label names a lesion: "
        "it is taken for one",
    )


def _coded(structure: Structure) -> Meaning:
    """Tell what the codes say, empty where they say nothing."""
    concept, category = _current(structure.concept), _current(structure.category)
    found = _types().get(concept) if concept else None
    if found is None and concept is not None and concept.scheme == "SRT":
        found = _AXES.get(concept.value[:1])
    if found is None or found.kind is Kind.UNSPECIFIC:
        of_category = _CATEGORIES.get(category) if category else None
        found = of_category or _INTERPRETED.get(structure.interpreted_type) or found
    unknown = "unknown code" if concept else ""
    return found or Meaning(Kind.UNSPECIFIC, unknown)


def _current(concept: Concept | None) -> Concept | None:
    """Return a concept in SNOMED CT where it is one of SNOMED RT (PS3.16, annex O)."""
    if concept is None or concept.scheme not in _RETIRED_SCHEMES:
        return concept
    # 15 MB of tables, which a service that reads no annotation does not pay.
    from pydicom.sr._snomed_dict import mapping  # noqa: PLC0415

    current = mapping["SRT"].get(concept.value)
    return Concept(current, "SCT") if current else concept._replace(scheme="SRT")


@cache
def _types() -> dict[Concept, Meaning]:
    """Return what is known of types."""
    groups = [(Kind.OTHER, _OTHER_GROUPS), (Kind.LESION, _LESION_GROUPS)]
    groups.append((Kind.ANATOMY, _ANATOMY_GROUPS))
    return {
        concept: Meaning(kind, text) for kind, cids in groups for concept, text in _members(cids)
    } | _SINGLE


@cache
def _organs() -> dict[str, str]:
    """Return the names of anatomical structures, in words, and what they mean."""
    standard = {" ".join(names.words(text)): text for _, text in _members(_ANATOMY_GROUPS)}
    del standard["tissue"]
    return standard | names.OTHER_NAMES


def _members(cids: Iterable[int]) -> list[tuple[Concept, str]]:
    """Return the concepts of context groups, with the standard's meaning of each."""
    from pydicom.sr.codedict import codes  # noqa: PLC0415

    found = [code for cid in cids for code in getattr(codes, f"cid{cid}").concepts.values()]
    return [(Concept(code.value, code.scheme_designator), code.meaning) for code in found]
