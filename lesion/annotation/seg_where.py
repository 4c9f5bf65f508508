"""Of which slices a frame of a SEG is: by the source images that it names, or by its plane."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from lesion.annotation.slices import References
from lesion.ct import Place
from lesion.errors import AnnotationError
from lesion.image import groups
from lesion.image.part10 import numbers


class Where:
    """Tells of which slices a frame is, and remembers why of none.

    Of those that it names as its source; or, where it names none that is there, of the one in
    whose frame of reference and plane it lies. A source in another plane is none.
    """

    def __init__(self, values: dict[str, Any], places: Sequence[Place]) -> None:
        self._places = places
        self._references = References(places)
        uid = str(values.get("FrameOfReferenceUID") or "")
        self._in_reference = np.flatnonzero(
            [
                place.plane is not None and uid == place.identity.frame_of_reference_uid != ""
                for place in places
            ]
        )
        # As arrays: a loop over thousands of slices for each of thousands of frames takes minutes.
        planes = [place.plane for place in places]
        self._positions_mm = _rows([plane.position_mm if plane else None for plane in planes], 3)
        self._orientations = _rows([plane.orientation if plane else None for plane in planes], 6)
        self._spacings_mm = _rows([place.spacing_mm for place in places], 2)
        self._found = self._elsewhere = False
        self._most_fitting = 0

    def slices_of(self, group: dict[str, Any]) -> tuple[list[int], bool]:
        """Return the indices of the slices that a frame is of.

        And whether that is by its plane, though it names images as its source: they are not there.
        """
        sources = [
            source
            for derivation in group.get("DerivationImageSequence", [])
            for source in derivation.get("SourceImageSequence", [])
        ]
        named = self._references.slices(sources)
        by_plane = not len(named)
        candidates = self._in_reference if by_plane else named
        fitting = candidates[self._fits(candidates, group, stated=by_plane)]
        if by_plane and len(fitting) > 1:  # phases of one scan, say
            self._most_fitting = max(self._most_fitting, len(fitting))
            return [], False
        self._found |= len(fitting) > 0
        self._elsewhere |= len(named) > 0 and not len(fitting)
        return [int(index) for index in fitting], by_plane and bool(sources)

    def _fits(
        self, candidates: Int[np.ndarray, " n"], group: dict[str, Any], *, stated: bool
    ) -> Bool[np.ndarray, " n"]:
        """Tell of which slices the frame's pixels are, as far as both say where they lie.

        With `stated`, they must say so.
        """
        at = groups.first(group, "PlanePositionSequence", "ImagePositionPatient")
        along = groups.first(group, "PlaneOrientationSequence", "ImageOrientationPatient")
        if at is None or along is None:
            return np.full(len(candidates), not stated)
        position, orientation = numbers(at, 3), numbers(along, 6)
        spacing = numbers(groups.first(group, "PixelMeasuresSequence", "PixelSpacing"), 2)
        unsaid = np.isnan(self._positions_mm[candidates, 0])
        if position is None or orientation is None:
            return np.asarray(unsaid & (not stated))
        near = _near(self._positions_mm[candidates], position, 0.1)
        near &= _near(self._orientations[candidates], orientation, 0.01)
        if spacing is not None:
            theirs = self._spacings_mm[candidates]
            near &= _near(theirs, spacing, 0.001) | np.isnan(theirs[:, 0])
        return np.asarray(np.where(unsaid, not stated, near))

    def check_any(self) -> None:
        """Raise `AnnotationError` unless a frame was of a slice."""
        if self._found:
            return
        if self._elsewhere:
            raise AnnotationError(
                "SEG: found a frame whose plane (0020,0032), (0020,0037) or pixel spacing "
                "(0028,0030) is not that of the slice, expected the same within 0.1 mm"
            )
        if self._most_fitting:
            raise AnnotationError(
                f"SEG: found a frame in the plane of {self._most_fitting} of the slices sent, "
                "expected one, or the SOP Instance UID of its slice among the source images "
                "(0008,2112)"
            )
        if not any(place.identity.sop_instance_uid for place in self._places):
            raise AnnotationError(
                "SEG: the slice has no SOP Instance UID (0008,0018), expected one to refer to"
            )
        raise AnnotationError(
            "SEG: found no frame derived from the slice, expected its SOP Instance UID among the "
            "source images (0008,2112), or its frame of reference and plane"
        )


def _rows(found: Sequence[tuple[float, ...] | None], width: int) -> Float[np.ndarray, "n width"]:
    """Return numbers as rows, NaN where there are none."""
    missing = (np.nan,) * width
    return np.array([row or missing for row in found], dtype=np.float64).reshape(-1, width)


def _near(
    found: Float[np.ndarray, "n k"], expected: Sequence[float], within: float
) -> Bool[np.ndarray, " n"]:
    with np.errstate(over="ignore"):  # a plane may be said to lie beyond all numbers
        return np.asarray((np.abs(found - np.array(expected)) <= within).all(axis=1))
