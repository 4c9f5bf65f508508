"""A slice with its lesions drawn on it, for viewers that show no structured report.

The notice that it is for research only stands in the pixels, above and below the slice, where no
window and no overlay setting of a viewer can take it away.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from lesion.ct import CTSlice
from service.answers import LesionAnswer, Rectangle

NOTICE = "RESEARCH ONLY - NOT A MEDICAL DEVICE - NOT FOR DIAGNOSIS"
MEANING = "AI: the most similar of its classes, not a diagnosis"

#: The window that liver is read in: HU of black and of white.
_WINDOW_HU = (-150.0, 250.0)
#: Of the picture of the slice, at least and at most: text must be legible, a picture small.
_SMALLEST_PX, _LARGEST_PX = 512, 1024
_TEXT_PX, _STRIP_PX = 14, 44
_OUTLINE, _TEXT, _BACKGROUND = (255, 220, 0), (255, 255, 255), (0, 0, 0)
_GLOW = (255, 60, 0)
#: Of the strongest activation, so that what lies under it can still be seen.
_OPACITY = 0.4


class Drawn(NamedTuple):
    """What is drawn of one lesion.

    Its number is its place in the answer, from 1. `corners_px` (x, y) go around it; `activation`
    [h, w] covers `square`, its first row at the top.
    """

    number: int
    answer: LesionAnswer
    corners_px: Float[np.ndarray, "n 2"]
    square: Rectangle | None
    activation: Float[np.ndarray, "h w"] | None


def draw(ct: CTSlice, lesions: Sequence[Drawn]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the picture: the slice in square pixels, the lesions on it, the notice around it."""
    scale_x, scale_y = _scale(ct)
    rows, cols = ct.hu.shape
    size = round(cols * scale_x), round(rows * scale_y)
    low, high = _WINDOW_HU
    grey = (255 * np.clip((ct.hu - low) / (high - low), 0, 1)).astype(np.uint8)
    image = Image.fromarray(grey).resize(size, Image.Resampling.BICUBIC).convert("RGB")
    for lesion in lesions:
        if lesion.square is not None and lesion.activation is not None:
            _glow(image, lesion.square, lesion.activation, (scale_x, scale_y))
    pen = ImageDraw.Draw(image)
    for lesion in lesions:
        _outline(pen, lesion, (scale_x, scale_y))
    return np.asarray(_framed(image))


def label(number: int, lesion: LesionAnswer) -> str:
    """Return the words beside a lesion."""
    named = f"{lesion.label} {100 * lesion.probabilities[lesion.label]:.1f} %"
    found = f"undetermined (most like {named})" if lesion.abstained else named
    size = f", {lesion.diameter_mm:.0f} mm" if lesion.diameter_mm is not None else ""
    return f"{number}: {found}{size}"


def _scale(ct: CTSlice) -> tuple[float, float]:
    """Return by how much columns and rows grow, so that pixels are square and text is legible."""
    rows, cols = ct.hu.shape
    row_mm, col_mm = ct.spacing_mm or (1.0, 1.0)
    finest = min(row_mm, col_mm)
    width, height = cols * col_mm / finest, rows * row_mm / finest
    grow = max(1.0, _SMALLEST_PX / min(width, height))
    grow = min(grow, _LARGEST_PX / max(width, height))
    return grow * col_mm / finest, grow * row_mm / finest


def _glow(
    image: Image.Image,
    square: Rectangle,
    activation: Float[np.ndarray, "h w"],
    scale: tuple[float, float],
) -> None:
    strength = np.clip(activation, 0, None)
    strength = strength / max(float(strength.max()), 1e-12)
    left, top = round(square.x0 * scale[0]), round(square.y0 * scale[1])
    right, bottom = round(square.x1 * scale[0]), round(square.y1 * scale[1])
    mask = Image.fromarray((255 * _OPACITY * strength).astype(np.uint8))
    mask = mask.resize((max(1, right - left), max(1, bottom - top)), Image.Resampling.BILINEAR)
    image.paste(_GLOW, (left, top), mask)


def _outline(pen: ImageDraw.ImageDraw, lesion: Drawn, scale: tuple[float, float]) -> None:
    corners = lesion.corners_px * scale
    ring = [(float(x), float(y)) for x, y in [*corners, corners[0]]]
    pen.line(ring, fill=_OUTLINE, width=1)
    text, font = label(lesion.number, lesion.answer), ImageFont.load_default(_TEXT_PX)
    _, _, wide, high = pen.textbbox((0, 0), text, font=font)
    width, height = pen.im.size if pen.im else (0, 0)
    x = min(max(0.0, corners[:, 0].min()), max(0.0, width - wide - 2))
    y = corners[:, 1].max() + 4
    if y + high > height:
        y = max(0.0, corners[:, 1].min() - high - 4)
    pen.text((x, y), text, fill=_OUTLINE, font=font, stroke_width=1, stroke_fill=_BACKGROUND)


def _framed(image: Image.Image) -> Image.Image:
    """Add strips above and below, so that the notice covers nothing."""
    framed = Image.new("RGB", (image.width, image.height + 2 * _STRIP_PX), _BACKGROUND)
    framed.paste(image, (0, _STRIP_PX))
    pen, font = ImageDraw.Draw(framed), ImageFont.load_default(_TEXT_PX)
    for middle in (_STRIP_PX // 2, framed.height - _STRIP_PX // 2):
        at = (framed.width / 2, middle)
        pen.multiline_text(
            at, f"{NOTICE}\n{MEANING}", fill=_TEXT, font=font, anchor="mm", align="center"
        )
    return framed
