"""What every annotation is read to: lesions, each with its outline on one of the slices sent.

An annotation numbers what it marks (segments, ROIs, measurement groups) and names it. Where one of
them marks several of the slices, the one on which it covers the largest area is taken.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from lesion.ct import Place, Plane
from lesion.errors import AnnotationError
from lesion.image.part10 import quote
from lesion.outline import Outline

#: How far off a slice, in mm, coordinates of the patient may lie and be of it: half the thinnest
#: slice of a CT.
OFF_PLANE_MM = 0.25

#: What a reader noticed that makes the outline less sure, though not unusable.
#: - frame-of-reference: the annotation names another than the slice, which it names all the same
#: - slices-missing: it marks further slices than those sent, on which it may cover more
Remark = Literal["frame-of-reference", "slices-missing"]


@dataclass(frozen=True, slots=True)
class Marked:
    """One lesion: its outline on the slice at an index of those sent.

    `number` is that of its segment or ROI, or the place of its measurement group among all, from
    1. `tracking_uid` is a measurement group's, empty where there is none.
    """

    slice_index: int
    outline: Outline
    number: int
    tracking_uid: str = ""
    remarks: tuple[Remark, ...] = ()


class Entry(NamedTuple):
    """A segment, ROI or measurement group that can be chosen: by its number, or by a name."""

    number: int
    names: tuple[str, ...]


def choose(entries: Sequence[Entry], select: str | None, what: str) -> set[int]:
    """Return the numbers of the entries that `select` names, all of them where it is None.

    A number is looked for first, then a name, spaces around it aside. Names of the annotation are
    not quoted in the refusal: people write whatever they like there.
    """
    if select is None:
        return {entry.number for entry in entries}
    wanted = select.strip()
    found = {entry.number for entry in entries if str(entry.number) == wanted} or {
        entry.number for entry in entries if wanted and wanted in map(str.strip, entry.names)
    }
    if not found:
        there = [entry.number for entry in entries]
        raise AnnotationError(
            f"{what}: found numbers {quote(there)} and none of that name, "
            f"expected {quote(wanted)} among them"
        )
    return found


def same_slice(place: Place, sop_instance_uid: str, frame_numbers: Collection[int]) -> bool:
    """Tell whether a reference is to the slice; one without frames is to all of its image."""
    identity = place.identity
    return sop_instance_uid == identity.sop_instance_uid != "" and (
        identity.frame_number is None or not frame_numbers or identity.frame_number in frame_numbers
    )


class Planes:
    """The planes of all slices as arrays: a loop over hundreds, for each contour, takes seconds."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._there = [index for index, place in enumerate(places) if place.plane]
        planes = [place.plane for place in places if place.plane]
        self._uids = np.array(
            [places[index].identity.frame_of_reference_uid for index in self._there], dtype=object
        )
        self._normals = np.array([plane.normal for plane in planes]).reshape(-1, 3)
        self._positions = np.array([plane.position_mm for plane in planes]).reshape(-1, 3)

    def through(self, point_mm: Float[np.ndarray, "3"], uid: str) -> list[int]:
        """Return the indices of the slices of a frame of reference whose plane holds a point."""
        off_mm = np.abs(((point_mm - self._positions) * self._normals).sum(axis=1))
        held = (self._uids == uid) & (off_mm <= OFF_PLANE_MM) & (uid != "")
        return [self._there[at] for at in np.flatnonzero(held)]


def geometry(place: Place) -> tuple[Plane, tuple[float, float]]:
    """Return what turns mm of the patient into pixels; raise `AnnotationError` where it lacks."""
    if place.plane is None or place.spacing_mm is None:
        raise AnnotationError(
            "annotation in mm: found a slice without Image Position (0020,0032) and Image "
            "Orientation (0020,0037) that span a plane, expected both"
        )
    return place.plane, place.spacing_mm
