"""One CT slice in Hounsfield units."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

AIR_HU = -1000.0


@dataclass(frozen=True, slots=True)
class SliceIdentity:
    """What a report needs to refer to the slice.

    Empty strings where the file was de-identified. Never a patient attribute.
    """

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""


@dataclass(frozen=True, slots=True)
class Plane:
    """Where a slice lies in the patient (DICOM PS3.3, C.7.6.2).

    `position_mm` (0020,0032) is (x, y, z) of the centre of the first pixel; `orientation`
    (0020,0037) the unit vectors (x, y, z) along a row, then down a column.
    """

    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CTSlice:
    """A single-frame CT image.

    `hu` is float32 [rows, cols] in Hounsfield units. `spacing_mm` is DICOM's Pixel Spacing
    (0028,0030): between rows, then between columns; None for an image whose file format carries
    none (PNG, NPY) and whose sender gave none. `padding` marks pixels that the scanner never
    measured (0028,0120); they hold `AIR_HU`. `plane` tells whether an annotation in patient
    coordinates is of this slice; None where the file says nothing usable.
    """

    hu: Float[np.ndarray, "rows cols"]
    spacing_mm: tuple[float, float] | None
    padding: Bool[np.ndarray, "rows cols"] | None = None
    identity: SliceIdentity = SliceIdentity()
    plane: Plane | None = None
