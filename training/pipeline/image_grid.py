"""Grids of patches as PNG, to be looked at before a loss curve is believed."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image
from skimage.util import montage


def save_grid(path: Path, unit: Float[np.ndarray, "n 64 64"], *, columns: int) -> None:
    """Write images in (0, 1) as a grid, row by row, with a white line between them."""
    rows = -(-len(unit) // columns)
    grid = montage(np.clip(unit, 0, 1), grid_shape=(rows, columns), padding_width=1, fill=1.0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((grid * 255).round().astype(np.uint8)).save(path)
