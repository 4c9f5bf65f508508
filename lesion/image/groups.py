"""Functional groups of a multi-frame object (PS3.3, C.7.6.16): what holds for each frame."""

from typing import Any

from lesion.errors import UnreadableImageError
from lesion.image.part10 import quote

SHARED, PER_FRAME = "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"


def frames_of(values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the groups of each frame: the shared ones, overridden by its own.

    Raise `UnreadableImageError` unless there are as many as Number of Frames (0028,0008) says.
    """
    shared = values.get(SHARED) or [{}]
    frames = values.get(PER_FRAME, [])
    if not frames or len(frames) != values.get("NumberOfFrames"):
        raise UnreadableImageError(
            f"found {len(frames)} Per-Frame Functional Groups (5200,9230), "
            f"expected {quote(values.get('NumberOfFrames'))} as Number of Frames (0028,0008) says"
        )
    return [{**shared[0], **frame} for frame in frames]


def first(group: dict[str, Any], sequence: str, keyword: str) -> Any:
    """Return a value of the first item of a sequence, or None."""
    items = group.get(sequence) or [{}]
    return items[0].get(keyword)
