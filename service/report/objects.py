"""What goes into a report and what comes out, for callers that need not import highdicom."""

from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from lesion.outline import Outline

Kind = Literal["report", "capture"]


class Seen(NamedTuple):
    """What an answer does not say of a lesion.

    The file of its image, its whole outline, by which UID an annotation tracks it, and where the
    most similar class was seen in its square.
    """

    file: bytes
    outline: Outline
    tracking_uid: str = ""
    activation: Float[np.ndarray, "h w"] | None = None


class Made(NamedTuple):
    """A DICOM object: what it is, who it is, and its Part 10 file."""

    kind: Kind
    sop_class: str
    study: str
    series: str
    instance: str
    data: bytes
