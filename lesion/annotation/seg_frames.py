"""Finds the frames of a SEG that are of the slices sent, and of the segments asked for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from lesion.annotation.seg_where import Where
from lesion.ct import Place
from lesion.errors import AnnotationError, TooLargeError, UnreadableOutlineError
from lesion.image import groups
from lesion.image.part10 import quote

#: Pixels of the frames on the slices sent: 1,000 frames of 512x512.
MOST_PIXELS_ON_SLICES = 1024 * 512 * 512
MOST_FRAMES_ON_SLICES = 1024


@dataclass(frozen=True, slots=True)
class FrameOnSlice:
    """A frame of a SEG on one of the slices; `number` is None in a label map, which holds all.

    `by_geometry` tells that it names other images, and lies in the slice's plane.
    """

    index: int
    number: int | None
    slice_index: int
    by_geometry: bool


def frames_of(
    values: dict[str, Any], places: Sequence[Place], asked: Collection[int]
) -> tuple[list[FrameOnSlice], bool]:
    """Return the frames that are of the slices and of the segments asked for.

    And whether others of these segments are of slices that were not sent.
    """
    labelled = values["SegmentationType"] == "LABELMAP"
    where = Where(values, places)
    size = max((place.shape[0] * place.shape[1] for place in places), default=1)
    most = min(MOST_FRAMES_ON_SLICES, MOST_PIXELS_ON_SLICES // size)
    frames: list[FrameOnSlice] = []
    missing = False
    for index, group in enumerate(groups.frames_of(values)):
        on_slices, by_geometry = where.slices_of(group)
        number = None if labelled or not on_slices else _segment_number(group)
        if number is None or number in asked:
            frames += [
                FrameOnSlice(index, number, slice_index, by_geometry) for slice_index in on_slices
            ]
        if not on_slices and (labelled or _segment_number(group) in asked):
            missing = True
        if len(frames) > most:  # here already: each may be of thousands of slices
            raise TooLargeError(
                f"SEG: found {len(frames)} frames or more of the asked segments on the slices "
                f"sent, expected 1 to {most}"
            )
    where.check_any()
    if not frames:
        raise AnnotationError(
            f"SEG: found 0 frames of the asked segments on the slices sent, expected 1 to {most}"
        )
    return frames, missing


def _segment_number(frame: dict[str, Any]) -> int:
    number = groups.first(frame, "SegmentIdentificationSequence", "ReferencedSegmentNumber")
    if not isinstance(number, int):
        raise UnreadableOutlineError(
            f"SEG: ReferencedSegmentNumber (0062,000B): found {quote(number)}, expected a number"
        )
    return number
