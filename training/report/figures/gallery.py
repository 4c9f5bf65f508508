"""Patches side by side: lesions, their augmentations, and synthetic ones."""

from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw
from skimage.util import montage

#: Grey levels that are kept: fewer than eight bits, so that noise does not fill the page.
_LEVELS = 40
_GAP, _STRIP = 2, 14
_LETTERS = 128  # legible on white and on black


def draw(unit: Float[np.ndarray, "n 64 64"], *, columns: int, stamp: str) -> bytes:
    """Return patches in (0, 1) as a PNG: a grid, row by row, on transparent ground.

    `stamp` is written under it, in its pixels: a picture may be torn from its page.
    """
    shape = (-(-len(unit) // columns), columns)
    whole = np.clip(unit.astype(np.float32), 0, 1)
    grey = _grid(np.round(whole * (_LEVELS - 1)) / (_LEVELS - 1), shape)
    shown = _grid(np.ones_like(whole), shape)
    picture = Image.new("LA", (grey.shape[1], grey.shape[0] + _STRIP), (0, 0))
    picture.paste(Image.fromarray(np.stack([grey, shown], axis=-1), "LA"))
    ImageDraw.Draw(picture).text((1, grey.shape[0] + 1), stamp, fill=(_LETTERS, 255))
    written = BytesIO()
    picture.save(written, "PNG", optimize=True)
    return written.getvalue()


def _grid(unit: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    laid = montage(unit, grid_shape=shape, padding_width=_GAP, fill=0.0)[_GAP:-_GAP, _GAP:-_GAP]
    grid: np.ndarray = (laid * 255).round().astype(np.uint8)
    return grid
