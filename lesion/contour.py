"""The line around a lesion, for whoever draws it: a report's region, a picture.

Exact: the contour of a mask runs along the edges of its pixels, so its longest diameter is the
outline's own, and what it encloses is what was marked.
"""

import numpy as np
from jaxtyping import Bool, Float

from lesion.errors import TooLargeError
from lesion.outline import Outline

#: Edges of pixels around one region, at most: no lesion's is a tenth as long.
MOST_EDGES = 65_536

#: x and y of a step to the right, down, to the left, up.
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))


def contour(outline: Outline) -> Float[np.ndarray, "n 2"]:
    """Return the corners (x, y) in pixels of the line around a lesion, in order, each once.

    Of a mask's region it is the outer line: holes are not shown. Raise `TooLargeError` for a region
    with a boundary of more than `MOST_EDGES`.
    """
    if outline.corners_px is not None:
        return outline.corners_px
    if outline.runs is None:
        x0, y0, x1, y1 = outline.x0, outline.y0, outline.x1, outline.y1
        return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    rows, first, last = (outline.runs - outline.runs.min(axis=0)[[0, 1, 1]]).T + 1
    changes = np.zeros((rows.max() + 2, last.max() + 2), dtype=np.int8)
    changes[rows, first] = 1
    changes[rows, last + 1] = -1
    framed = np.cumsum(changes, axis=1, dtype=np.int8) > 0
    corners: np.ndarray = _around(framed) + [outline.x0 - 1, outline.y0 - 1]  # noqa: RUF005 # a sum
    return corners


def _around(framed: Bool[np.ndarray, "h w"]) -> Float[np.ndarray, "n 2"]:
    """Walk once around an 8-connected region that touches no edge of its array.

    Along the edges of its pixels, the region to the right hand, from the first corner of its first
    pixel; where two pixels meet at a corner alone, on to the other one.
    """
    start = x, y = int(np.argmax(framed[1])), 1
    heading = 0
    corners = [start]
    for _ in range(MOST_EDGES):
        (dx, dy) = _STEPS[heading]
        x, y = x + dx, y + dy
        if (x, y) == start:
            return np.array(corners, dtype=np.float64)
        # The pixels before the corner that was reached: on the left hand, and on the right.
        left = framed[y + (dy - dx - 1) // 2, x + (dx + dy - 1) // 2]
        right = framed[y + (dy + dx - 1) // 2, x + (dx - dy - 1) // 2]
        if left or not right:
            heading = (heading + (-1 if left else 1)) % 4
            corners.append((x, y))
    raise TooLargeError(
        f"outline: found a boundary of more than {MOST_EDGES} edges of pixels, expected fewer"
    )
