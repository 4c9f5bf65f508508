"""Classic augmentation (paper 3.1) as numbers; `lesion.roi.cut` makes a patch of each.

Every lesion is rotated `rotations` times by a random angle in [0, 180) degrees. Each rotated lesion
is kept as it is, flipped 3 times (left-right, up-down, both), translated and scaled: N = N_rot (1 +
N_flip + N_trans + N_scale), 480 in the paper.
"""

from dataclasses import dataclass
from itertools import chain

import numpy as np

from lesion.roi import Variation

FLIPS = ((True, False), (False, True), (True, True))
LARGEST_SHIFT_PX = 4.0
SHIFT_OF_DIAMETER = 0.1
ZOOM_OUT = (0.1, 0.4)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How many of each transformation (paper 4.2.1). The defaults are the paper's."""

    rotations: int = 30
    translations: int = 7
    scales: int = 5

    @property
    def count(self) -> int:
        """How many patches a lesion yields besides its original: 480 in the paper."""
        return self.rotations * (1 + len(FLIPS) + self.translations + self.scales)


def draw(
    augmentation: Augmentation, *, diameter_px: float, rng: np.random.Generator
) -> list[Variation]:
    """Draw a lesion's variations. Its diameter in native pixels bounds the translation."""
    shift = min(LARGEST_SHIFT_PX, SHIFT_OF_DIAMETER * diameter_px)

    def around(angle: float) -> list[Variation]:
        shifts = rng.uniform(-shift, shift, size=(augmentation.translations, 2))
        zooms = rng.uniform(*ZOOM_OUT, size=augmentation.scales)
        return [
            Variation(rotation_deg=angle),
            *(Variation(rotation_deg=angle, flip_x=x, flip_y=y) for x, y in FLIPS),
            *(Variation(rotation_deg=angle, shift_px=(float(x), float(y))) for x, y in shifts),
            *(Variation(rotation_deg=angle, zoom_out=float(zoom)) for zoom in zooms),
        ]

    angles = rng.uniform(0.0, 180.0, size=augmentation.rotations)
    return list(chain.from_iterable(around(float(angle)) for angle in angles))
