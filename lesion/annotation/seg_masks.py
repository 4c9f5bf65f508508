"""The masks of a SEG's segments, each on the slice where it covers most."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from lesion.annotation.seg_frames import MOST_PIXELS_ON_SLICES, FrameOnSlice
from lesion.annotation.seg_pixels import Frame, Pixels
from lesion.ct import Place
from lesion.errors import TooLargeError
from lesion.image.part10 import Part10

#: Pixels of the masks of all segments, a byte each: a quarter as many as of the frames.
MOST_PIXELS_OF_SEGMENTS = 256 * 512 * 512

Mask = Bool[np.ndarray, "rows cols"]


class SegmentMask(NamedTuple):
    """A segment on the slice that it marks most."""

    number: int
    slice_index: int
    mask: Mask


def largest_masks(
    file: Part10,
    pixels: Pixels,
    frames: Sequence[FrameOnSlice],
    places: Sequence[Place],
    asked: Collection[int],
    *,
    most: int,
) -> list[SegmentMask]:
    """Return the mask of each segment asked for that marks a pixel, by number.

    Pixels are counted first, and frames unpacked again for the masks, so that no more masks are in
    memory than there are segments. Raise `TooLargeError` for more than `most` segments, or more
    pixels than the bounds.
    """
    areas_mm2: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    of_slice: dict[int, list[FrameOnSlice]] = defaultdict(list)
    for frame in frames:
        of_slice[frame.slice_index].append(frame)
        row_mm, col_mm = places[frame.slice_index].spacing_mm or (1.0, 1.0)
        for number, count in _counts(file, pixels, frame).items():
            if number in asked and count:
                areas_mm2[number][frame.slice_index] += count * row_mm * col_mm
    best = {number: max(of, key=of.__getitem__) for number, of in areas_mm2.items()}
    _check_segments(best, of_slice, places, most)
    masks: dict[int, Mask] = {}
    for index in set(best.values()):
        masks |= _masks(file, pixels, of_slice[index], {n for n, at in best.items() if at == index})
    return [SegmentMask(number, best[number], masks[number]) for number in sorted(best)]


def _check_segments(
    best: dict[int, int],
    of_slice: dict[int, list[FrameOnSlice]],
    places: Sequence[Place],
    most: int,
) -> None:
    """Bound what the masks of all segments hold, and what it takes to make them."""
    held = sum(places[index].shape[0] * places[index].shape[1] for index in best.values())
    if held > MOST_PIXELS_OF_SEGMENTS:
        raise TooLargeError(
            f"SEG: found {len(best)} segments of {held} pixels on the slices sent, "
            f"expected at most {MOST_PIXELS_OF_SEGMENTS} pixels"
        )
    if len(best) > most:  # each of them is a lesion at least
        raise TooLargeError(
            f"SEG: found {len(best)} segments on the slices sent, expected at most {most} lesions"
        )
    compared = sum(
        places[index].shape[0] * places[index].shape[1]
        for number, index in best.items()
        for frame in of_slice[index]
        if frame.number in (None, number)
    )
    if compared > MOST_PIXELS_ON_SLICES:
        raise TooLargeError(
            f"SEG: found frames of {compared} pixels of {len(best)} segments on the slices sent, "
            f"expected at most {MOST_PIXELS_ON_SLICES} pixels"
        )


def _counts(file: Part10, pixels: Pixels, frame: FrameOnSlice) -> dict[int, int]:
    """Count the pixels that one frame marks, by segment."""
    found = pixels.frame(frame.index)
    if frame.number is not None:
        return {frame.number: int(np.count_nonzero(_marks(file, found, frame.number)))}
    counts = np.bincount(found.ravel())
    return {int(number): int(counts[number]) for number in np.flatnonzero(counts)}


def _masks(
    file: Part10, pixels: Pixels, frames: Sequence[FrameOnSlice], numbers: set[int]
) -> dict[int, Mask]:
    """Return what segments mark on a slice: for each the union of the slice's frames."""
    masks: dict[int, Mask] = {}
    for frame in frames:
        marked = numbers if frame.number is None else numbers & {frame.number}
        if marked:
            found = pixels.frame(frame.index)
            for number in marked:
                marks = _marks(file, found, number)
                masks[number] = masks[number] | marks if number in masks else marks
    return masks


def _marks(file: Part10, found: Frame, number: int) -> Mask:
    """Return the pixels of a frame that are a segment's."""
    kind = file.values["SegmentationType"]
    if kind == "LABELMAP":
        return np.asarray(found == number)
    if kind == "BINARY":
        return np.asarray(found != 0)
    return np.asarray(found >= file.values["MaximumFractionalValue"] / 2)
