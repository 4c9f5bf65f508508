"""What makes an answer less sure, though not unusable.

Each warning has a stable code, which programs read, and a detail, which people read. A deviation is
a warning of a file that does not follow the DICOM standard, and still has one meaning: the one that
the standard or every mainstream reader gives it.
"""

from enum import StrEnum
from typing import NamedTuple


class WarningCode(StrEnum):
    """The codes of all warnings. A code is never renamed; each is documented in docs/formats.md."""

    ROI_LEAVES_IMAGE = "roi-leaves-image"
    ROI_COVERS_PADDING = "roi-covers-padding"
    IMAGE_TAKEN_AS_ROI = "image-taken-as-roi"
    EIGHT_BIT = "eight-bit"
    NO_SPACING = "no-spacing"
    UNUSUAL_DIAMETER = "unusual-diameter"
    SLICES_MISSING = "slices-missing"
    STUDY_DIFFERS = "study-differs"

    STRUCTURE_UNSPECIFIC = "structure-unspecific"
    LESION_BY_LABEL = "lesion-by-label"
    NO_LESION_SELECTED = "no-lesion-selected"

    FRAME_OF_REFERENCE = "frame-of-reference"
    REFERENCE_BY_GEOMETRY = "reference-by-geometry"
    NO_PREAMBLE = "no-preamble"
    NO_FILE_META = "no-file-meta"
    VALUE_REPRESENTATION = "value-representation"
    EXCESS_PIXEL_DATA = "excess-pixel-data"
    CODESTREAM_PRECISION = "codestream-precision"
    JP2_HEADER = "jp2-header"
    RESCALE_TYPE_US = "rescale-type-us"


#: Codes of what a sender should mend: `HEPATICA_STRICT=1` refuses these files.
DEVIATIONS = frozenset(
    {
        WarningCode.FRAME_OF_REFERENCE,
        WarningCode.REFERENCE_BY_GEOMETRY,
        WarningCode.NO_PREAMBLE,
        WarningCode.NO_FILE_META,
        WarningCode.VALUE_REPRESENTATION,
        WarningCode.EXCESS_PIXEL_DATA,
        WarningCode.CODESTREAM_PRECISION,
        WarningCode.JP2_HEADER,
        WarningCode.RESCALE_TYPE_US,
    }
)


class InputWarning(NamedTuple):
    """One warning. Like an error's message, its detail holds no patient attribute."""

    code: WarningCode
    detail: str


FRAME_OF_REFERENCE = InputWarning(
    WarningCode.FRAME_OF_REFERENCE,
    "the annotation names the image but another frame of reference: whether its mm are the "
    "image's cannot be told",
)
REFERENCE_BY_GEOMETRY = InputWarning(
    WarningCode.REFERENCE_BY_GEOMETRY,
    "the annotation names images that were not sent: it was placed by its geometry, on the one "
    "slice of its frame of reference in whose plane it lies",
)
SLICES_MISSING = InputWarning(
    WarningCode.SLICES_MISSING,
    "the annotation marks slices that were not sent: it may cover more on one of them",
)
STUDY_DIFFERS = InputWarning(
    WarningCode.STUDY_DIFFERS,
    "the files are of different studies: the report is filed in that of the image",
)
