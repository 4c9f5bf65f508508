"""The three classes of the paper (section 2.1), in the order of every array and every answer."""

from enum import StrEnum
from typing import NamedTuple


class Code(NamedTuple):
    """A coded concept (DICOM PS3.3, table 8.8-1): its value, coding scheme and meaning."""

    value: str
    scheme: str
    meaning: str


class LesionClass(StrEnum):
    """A focal liver lesion of the paper. Iteration order is the order of a network's outputs."""

    CYST = "cyst"
    METASTASIS = "metastasis"
    HEMANGIOMA = "hemangioma"

    @property
    def code(self) -> Code:
        """The class as a SNOMED CT concept."""
        return _CODES[self]


_CODES = {
    LesionClass.CYST: Code("85057007", "SCT", "Cyst of liver"),
    LesionClass.METASTASIS: Code("94381002", "SCT", "Metastatic malignant neoplasm to liver"),
    LesionClass.HEMANGIOMA: Code("93469006", "SCT", "Hemangioma of liver"),
}

CLASSES = tuple(LesionClass)

#: What a lesion is called when the service abstains.
UNDETERMINED = Code("300331000", "SCT", "Lesion of liver")
