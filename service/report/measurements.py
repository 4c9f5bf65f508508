"""What is measured of a lesion, as NUM content items (TID 300).

Most viewers show a measurement by its concept name, its value and its unit alone. So the class
stands in the concept name, as a code of our own scheme, made from the class's name; the class as a
concept of SNOMED CT stands below it, for programs.
"""

from collections.abc import Mapping

from highdicom.sr import CodeContentItem, CodedConcept, Measurement, RelationshipTypeValues
from pydicom.dataset import Dataset

from lesion.classes import OWN_SCHEME, Code
from service.answers import Coded, LesionAnswer
from service.report.uids import MANUFACTURER
from service.rounding import rounded_shares

FINDING = CodedConcept("121071", "DCM", "Finding")
LONG_AXIS = CodedConcept("103339001", "SCT", "Long axis")
PERCENT = CodedConcept("%", "UCUM", "Percent")
MILLIMETRE = CodedConcept("mm", "UCUM", "mm")


def coded(code: Code | Coded) -> CodedConcept:
    """Return a code of the domain, or of an answer, as highdicom's."""
    return CodedConcept(code.value, code.scheme, code.meaning)


def probability_of(name: str) -> CodedConcept:
    """Return the concept name of a class's probability. A value above 16 bytes is a long one."""
    return CodedConcept(f"P-{name}", OWN_SCHEME, f"Probability of {name}")


def coding_scheme() -> Dataset:
    """Return our scheme as an item of the Coding Scheme Identification Sequence (0008,0110)."""
    item = Dataset()
    item.CodingSchemeDesignator = OWN_SCHEME
    item.CodingSchemeName = "Hepatica: a class of lesions as P-NAME, its probability"
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item


def measurements(lesion: LesionAnswer, codes: Mapping[str, Code]) -> list[Measurement]:
    """Return how probable each class is, in .1 %, and how long the lesion, in .1 mm."""
    percent = {name: 100 * share for name, share in lesion.probabilities.items()}
    found = []
    for name, value in rounded_shares(percent, 1).items():
        measured = Measurement(probability_of(name), value, PERCENT)
        measured[0].ContentSequence = [
            CodeContentItem(FINDING, coded(codes[name]), RelationshipTypeValues.HAS_CONCEPT_MOD)
        ]
        found.append(measured)
    if lesion.diameter_mm is not None:
        found.append(Measurement(LONG_AXIS, round(lesion.diameter_mm, 1), MILLIMETRE))
    return found
