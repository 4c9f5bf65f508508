"""Of which slices a frame of a SEG is: by the source images that it names, or by its plane."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from lesion.annotation.marked import same_slice
from lesion.ct import Place
from lesion.errors import AnnotationError
from lesion.image import groups
from lesion.image.part10 import numbers, several


class Where:
    """Tells of which slices a frame is, and remembers why of none.

    Of those that it names as its source; or, where it names none, of that in whose frame of
    reference and plane it lies. A source in another plane is none.
    """

    def __init__(self, values: dict[str, Any], places: Sequence[Place]) -> None:
        self._places = places
        self._uid = str(values.get("FrameOfReferenceUID") or "")
        self._by_uid: dict[str, list[int]] = defaultdict(list)
        self._in_reference: list[int] = []
        for index, place in enumerate(places):
            self._by_uid[place.identity.sop_instance_uid].append(index)
            if place.plane and self._uid == place.identity.frame_of_reference_uid != "":
                self._in_reference.append(index)
        self._found = self._elsewhere = False

    def slices_of(self, group: dict[str, Any]) -> list[int]:
        """Return the indices of the slices that a frame is of."""
        sources = [
            source
            for derivation in group.get("DerivationImageSequence", [])
            for source in derivation.get("SourceImageSequence", [])
        ]
        named = [index for source in sources for index in self._named(source)]
        candidates = list(dict.fromkeys(named)) if sources else self._in_reference
        at = groups.first(group, "PlanePositionSequence", "ImagePositionPatient")
        along = groups.first(group, "PlaneOrientationSequence", "ImageOrientationPatient")
        spacing = groups.first(group, "PixelMeasuresSequence", "PixelSpacing")
        fitting = [
            index
            for index in candidates
            if _fits(self._places[index], at, along, spacing, stated=not sources)
        ]
        self._found |= bool(fitting)
        self._elsewhere |= bool(named) and not fitting
        return fitting

    def _named(self, source: dict[str, Any]) -> list[int]:
        uid = str(source.get("ReferencedSOPInstanceUID") or "")
        frames = several(source.get("ReferencedFrameNumber"))
        return [
            index
            for index in self._by_uid.get(uid, [])
            if same_slice(self._places[index], uid, frames)
        ]

    def check_any(self) -> None:
        """Raise `AnnotationError` unless a frame was of a slice."""
        if self._found:
            return
        if self._elsewhere:
            raise AnnotationError(
                "SEG: found a frame whose plane (0020,0032), (0020,0037) or pixel spacing "
                "(0028,0030) is not that of the slice, expected the same within 0.1 mm"
            )
        if not any(place.identity.sop_instance_uid for place in self._places):
            raise AnnotationError(
                "SEG: the slice has no SOP Instance UID (0008,0018), expected one to refer to"
            )
        raise AnnotationError(
            "SEG: found no frame derived from the slice, expected its SOP Instance UID among the "
            "source images (0008,2112)"
        )


def _fits(place: Place, at: Any, along: Any, spacing: Any, *, stated: bool) -> bool:
    """Tell whether a frame's pixels are those of the slice, as far as both say where they lie.

    With `stated`, they must say so.
    """
    if place.plane is None or at is None or along is None:
        return not stated
    position, orientation, step = numbers(at, 3), numbers(along, 6), numbers(spacing, 2)
    if position is None or orientation is None:
        return False
    # Plain arithmetic: NumPy's own comparison takes ten times as long, for each frame and slice.
    return (
        _near(position, place.plane.position_mm, 0.1)
        and _near(orientation, place.plane.orientation, 0.01)
        and (step is None or place.spacing_mm is None or _near(step, place.spacing_mm, 0.001))
    )


def _near(found: Sequence[float], expected: Sequence[float], within: float) -> bool:
    return all(abs(one - other) <= within for one, other in zip(found, expected, strict=True))
