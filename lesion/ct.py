"""One CT slice in Hounsfield units, and where it lies."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from lesion.warning import InputWarning

AIR_HU = -1000.0


@dataclass(frozen=True, slots=True)
class SliceIdentity:
    """What a report needs to refer to the slice.

    Empty strings where the file was de-identified. `frame_number` counts from 1 in a multi-frame
    image, and is None for a single-frame one. Never a patient attribute.
    """

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    study_instance_uid: str = ""
    frame_of_reference_uid: str = ""
    frame_number: int | None = None


@dataclass(frozen=True, slots=True)
class Plane:
    """Where a slice lies in the patient (DICOM PS3.3, C.7.6.2).

    `position_mm` (0020,0032) is (x, y, z) of the centre of the first pixel; `orientation`
    (0020,0037) the unit vectors (x, y, z) along a row, then down a column, at right angles.
    """

    position_mm: tuple[float, ...]
    orientation: tuple[float, ...]

    @property
    def normal(self) -> Float[np.ndarray, "3"]:
        """The unit vector across the slice."""
        return np.cross(self.orientation[:3], self.orientation[3:])

    def off_mm(self, points_mm: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, " n"]:
        """Return how far points (x, y, z) of the patient lie off the slice."""
        return np.asarray(np.abs((points_mm - self.position_mm) @ self.normal))

    def to_pixels(
        self, points_mm: Float[np.ndarray, "n 3"], spacing_mm: tuple[float, float]
    ) -> Float[np.ndarray, "n 2"]:
        """Project points of the patient onto the slice: (x, y) in pixels.

        (0, 0) is the outer corner of the first pixel, whose centre is (0.5, 0.5).
        """
        along = np.reshape(self.orientation, (2, 3)).T
        row_mm, col_mm = spacing_mm
        return np.asarray((points_mm - self.position_mm) @ along / [col_mm, row_mm] + 0.5)


@dataclass(frozen=True, slots=True)
class Place:
    """Which slice, and where its pixels lie: all that an annotation is held against.

    `shape` is (rows, columns); the rest as in `CTSlice`.
    """

    shape: tuple[int, int]
    spacing_mm: tuple[float, float] | None
    identity: SliceIdentity = SliceIdentity()
    plane: Plane | None = None


@dataclass(frozen=True, slots=True)
class CTSlice:
    """A CT image of one frame, or one frame of several.

    `hu` is float32 [rows, cols] in Hounsfield units. `spacing_mm` is DICOM's Pixel Spacing
    (0028,0030): between rows, then between columns; None for an image whose file format carries
    none (PNG, NPY) and whose sender gave none. `padding` marks pixels that the scanner never
    measured (0028,0120); they hold `AIR_HU`. `plane` tells whether an annotation in patient
    coordinates is of this slice; None where the file says nothing usable. `warnings` tell what of
    its file deviates from the standard and was read all the same.
    """

    hu: Float[np.ndarray, "rows cols"]
    spacing_mm: tuple[float, float] | None
    padding: Bool[np.ndarray, "rows cols"] | None = None
    identity: SliceIdentity = SliceIdentity()
    plane: Plane | None = None
    warnings: tuple[InputWarning, ...] = ()

    @property
    def place(self) -> Place:
        """The slice without its pixels."""
        rows, cols = self.hu.shape
        return Place((rows, cols), self.spacing_mm, self.identity, self.plane)
