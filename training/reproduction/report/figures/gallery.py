"""Patches side by side: lesions, their augmentations, and synthetic ones."""

from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw
from skimage.util import montage

#: Grey levels that are kept: fewer than eight bits, so that noise does not fill the page. After
#: them in the palette comes what is seen through, and a grey that is legible on white and on black.
_LEVELS = 40
_CLEAR, _LETTERS = _LEVELS, _LEVELS + 1
_PALETTE = [*np.linspace(0, 255, _LEVELS).round().astype(int).tolist(), 255, 128]
_GAP, _STRIP = 2, 14


def draw(unit: Float[np.ndarray, "n 64 64"], *, columns: int, stamp: str) -> bytes:
    """Return patches in (0, 1) as a PNG: a grid, row by row, on transparent ground.

    `stamp` is written under it, in its pixels: a picture may be torn from its page.
    """
    levels = np.round(np.clip(unit.astype(np.float32), 0, 1) * (_LEVELS - 1)).astype(np.uint8)
    shape = (-(-len(unit) // columns), columns)
    laid = montage(levels, grid_shape=shape, padding_width=_GAP, fill=_CLEAR)
    laid = laid[_GAP:-_GAP, _GAP:-_GAP]
    picture = Image.fromarray(np.pad(laid, ((0, _STRIP), (0, 0)), constant_values=_CLEAR))
    ImageDraw.Draw(picture).text((1, len(laid) + 1), stamp, fill=_LETTERS)
    picture.putpalette([channel for grey in _PALETTE for channel in (grey, grey, grey)])
    written = BytesIO()
    picture.save(written, "PNG", transparency=_CLEAR)
    return written.getvalue()
