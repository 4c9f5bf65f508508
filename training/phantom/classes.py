"""The three classes of the paper (section 2.1), which the phantom draws, with their codes."""

from enum import StrEnum

from lesion import classes
from lesion.classes import Code


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

#: The same, as cohorts and bundles have them.
CLASS_LIST = tuple(classes.LesionClass(kind.value, kind.code) for kind in LesionClass)
