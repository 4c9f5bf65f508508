"""An `Order` -> patches for the classifier: the CPU's part of a classification."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from lesion import roi
from lesion.annotation.seg import read_seg
from lesion.ct import CTSlice
from lesion.errors import OutlineMissingError, UnreadableParameterError
from lesion.image.dicom import read_ct
from lesion.image.frames import Decode
from lesion.image.raster import read_mask, read_npy, read_png
from lesion.outline import DIAMETER_RANGE_MM, Outline, from_box, from_mask, from_polygon
from service.answers import Rectangle, Warned
from service.metrics import Metrics
from service.options import Box
from service.parse import Order

_NO_SPACING = Warned(
    code="no-spacing",
    detail="no pixel spacing is known: pixels are taken as square, diameter_mm is null",
)
_EIGHT_BIT = Warned(code="eight-bit", detail="8 bits a pixel hold the HU window in 256 steps")
_WHOLE = Warned(
    code="image-taken-as-roi",
    detail="no outline was given: the whole image is taken as the square around the lesion",
)
_LEAVES = Warned(
    code="roi-leaves-image",
    detail="the square around the lesion leaves the image: its edge is repeated there",
)
_PADDING = Warned(
    code="roi-covers-padding",
    detail="the square around the lesion covers padding: it is taken as air",
)


@dataclass(frozen=True, slots=True)
class Prepared:
    """One lesion, ready for the classifier, and what the cut knows of it."""

    patch_hu: Float[np.ndarray, "64 64"]
    roi: Rectangle | None
    square: Rectangle | None
    diameter_mm: float | None
    warnings: list[Warned]


def prepare(
    order: Order, *, margin: float, max_lesions: int, metrics: Metrics, decode: Decode
) -> list[Prepared]:
    """Decode the image, read its outlines, cut their patches.

    `decode` turns a compressed frame into pixels. Raise the `InputError` that names what is wrong.
    """
    if order.image_format == "dicom" and not order.outlined:
        raise OutlineMissingError(
            "outline: found none, expected one of 'roi', 'mask' and 'annotation' with a DICOM image"
        )
    with metrics.stage["decode"].time():
        ct = _image(order, decode)
        outlines = _outlines(order, ct, max_lesions)
    known = [_EIGHT_BIT] if order.options.window is not None else []
    with metrics.stage["cut"].time():
        if outlines is None:
            return [_whole(ct, known)]
        return [_cut(ct, outline, margin, known) for outline in outlines]


def _image(order: Order, decode: Decode) -> CTSlice:
    spacing_mm, window = order.options.spacing_mm, order.options.window
    if order.image_format == "png":
        return read_png(order.image, spacing_mm=spacing_mm, window=window)
    if window is not None:
        raise UnreadableParameterError("window: found one, expected none but for an 8-bit PNG")
    if order.image_format == "npy":
        return read_npy(order.image, spacing_mm=spacing_mm)
    if spacing_mm is not None:
        raise UnreadableParameterError("spacing_mm: found one, expected a DICOM file's own")
    return read_ct(order.image, decode=decode)


def _outlines(order: Order, ct: CTSlice, max_lesions: int) -> list[Outline] | None:
    """Return the lesions' outlines; None where the image itself is the ROI.

    Those that the options hold were counted when they were parsed.
    """
    shape = (ct.hu.shape[0], ct.hu.shape[1])
    if order.annotation is not None:
        return read_seg(order.annotation, ct, most=max_lesions)
    if order.mask is not None:
        return from_mask(read_mask(order.mask), shape=shape, most=max_lesions)
    if order.options.rois:
        return [
            from_box(drawn.x0, drawn.y0, drawn.x1, drawn.y1, shape=shape)
            if isinstance(drawn, Box)
            else from_polygon(drawn.points, shape=shape)
            for drawn in order.options.rois
        ]
    return None


def _whole(ct: CTSlice, known: list[Warned]) -> Prepared:
    """Take the image as the square around a lesion of unknown extent."""
    rows, cols = ct.hu.shape
    warnings = [*known, _WHOLE]
    if (rows, cols) == (roi.PATCH_SIZE, roi.PATCH_SIZE):
        return Prepared(ct.hu, None, None, None, warnings)
    outline = from_box(0, 0, cols, rows, shape=(rows, cols))
    spacing_mm = ct.spacing_mm or (1.0, 1.0)
    patch_hu = roi.cut(ct.hu, spacing_mm, outline, margin=0.0)
    if roi.leaves_image((rows, cols), spacing_mm, outline, margin=0.0):
        warnings.append(_LEAVES)
    return Prepared(patch_hu, None, None, None, warnings)


def _cut(ct: CTSlice, outline: Outline, margin: float, known: list[Warned]) -> Prepared:
    spacing_mm = ct.spacing_mm or (1.0, 1.0)
    shape = (ct.hu.shape[0], ct.hu.shape[1])
    diameter_mm = outline.diameter_mm(spacing_mm) if ct.spacing_mm else None
    warnings = [*known]
    if ct.spacing_mm is None:
        warnings.append(_NO_SPACING)
    if roi.leaves_image(shape, spacing_mm, outline, margin=margin):
        warnings.append(_LEAVES)
    if ct.padding is not None and roi.covers(ct.padding, spacing_mm, outline, margin=margin):
        warnings.append(_PADDING)
    smallest, largest = DIAMETER_RANGE_MM
    if diameter_mm is not None and not smallest <= diameter_mm <= largest:
        warnings.append(
            Warned(
                code="unusual-diameter",
                detail=f"the lesion measures {diameter_mm:.1f} mm; those of the paper measured "
                f"{smallest:g} to {largest:g} mm",
            )
        )
    return Prepared(
        roi.cut(ct.hu, spacing_mm, outline, margin=margin),
        Rectangle(x0=outline.x0, y0=outline.y0, x1=outline.x1, y1=outline.y1),
        _square(outline, spacing_mm, margin),
        diameter_mm,
        warnings,
    )


def _square(outline: Outline, spacing_mm: tuple[float, float], margin: float) -> Rectangle:
    side = roi.side_mm(outline, spacing_mm, margin=margin)
    (x, y), (row_mm, col_mm) = outline.centre_px, spacing_mm
    dx, dy = side / col_mm / 2, side / row_mm / 2
    return Rectangle(x0=x - dx, y0=y - dy, x1=x + dx, y1=y + dy)
