"""An `Order` -> patches for the classifier: the CPU's part of a classification."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from lesion import roi
from lesion.annotation.lesions import Skipped, read_lesions
from lesion.annotation.marked import Marked
from lesion.ct import CTSlice, SliceIdentity
from lesion.errors import DeviationError, OutlineMissingError, SeriesError, UnreadableParameterError
from lesion.image.dicom import chosen_frame
from lesion.image.frames import Decode
from lesion.image.raster import read_mask, read_npy, read_png
from lesion.outline import DIAMETER_RANGE_MM, Outline, from_box, from_mask, from_polygon
from lesion.patient import check_one_patient
from lesion.series import Series, open_series, slice_at
from lesion.warning import DEVIATIONS, InputWarning, WarningCode
from service.answers import ImageReference, Rectangle
from service.metrics import Metrics
from service.options import Box
from service.parse import Order
from service.settings import Settings

_NO_SPACING = InputWarning(
    WarningCode.NO_SPACING,
    "no pixel spacing is known: pixels are taken as square, diameter_mm is null",
)
_EIGHT_BIT = InputWarning(WarningCode.EIGHT_BIT, "8 bits a pixel hold the HU window in 256 steps")
_WHOLE = InputWarning(
    WarningCode.IMAGE_TAKEN_AS_ROI,
    "no outline was given: the whole image is taken as the square around the lesion",
)
_LEAVES = InputWarning(
    WarningCode.ROI_LEAVES_IMAGE,
    "the square around the lesion leaves the image: its edge is repeated there",
)
_PADDING = InputWarning(
    WarningCode.ROI_COVERS_PADDING,
    "the square around the lesion covers padding: it is taken as air",
)


@dataclass(frozen=True, slots=True)
class Lesion:
    """One lesion: its slice, in which of the images sent (0 is the first), and where it lies there.

    `outline` is None where the image itself is the ROI, `marked` where no annotation marks it.
    `warnings` are of the files together.
    """

    ct: CTSlice
    outline: Outline | None
    image_index: int = 0
    marked: Marked | None = None
    warnings: tuple[InputWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """One lesion, ready for the classifier, and what the cut knows of it.

    `outline` is None where the image itself is the ROI, `marked` where no annotation marks it.
    """

    identity: SliceIdentity
    outline: Outline | None
    patch_hu: Float[np.ndarray, "64 64"]
    roi: Rectangle | None
    square: Rectangle | None
    diameter_mm: float | None
    warnings: list[InputWarning]
    image_index: int = 0
    marked: Marked | None = None

    @property
    def image(self) -> ImageReference | None:
        """Which slice it was, where its file says."""
        if not self.identity.sop_instance_uid:
            return None
        return ImageReference(
            sop_instance_uid=self.identity.sop_instance_uid,
            frame_number=self.identity.frame_number,
        )


class PreparedLesions(NamedTuple):
    """The lesions of a request, and what its annotation holds beside them."""

    lesions: list[Prepared]
    skipped: tuple[Skipped, ...] = ()


def prepare(
    order: Order, *, margin: float, settings: Settings, metrics: Metrics, decode: Decode
) -> PreparedLesions:
    """Decode the image, read its outlines, cut their patches.

    `decode` turns a compressed frame into pixels. Raise the `InputError` that names what is wrong.
    """
    if order.image_format == "dicom" and not order.outlined:
        raise OutlineMissingError(
            "outline: found none, expected one of 'roi', 'mask' and 'annotation' with a DICOM image"
        )
    with metrics.stage["decode"].time():
        lesions, skipped = _lesions(order, settings, decode)
    known = [_EIGHT_BIT] if order.options.window is not None else []
    with metrics.stage["cut"].time():
        prepared = [
            _whole(lesion.ct, known)
            if lesion.outline is None
            else _cut(lesion, lesion.outline, margin, known)
            for lesion in lesions
        ]
    if settings.strict:
        _refuse_deviations(warning for lesion in prepared for warning in lesion.warnings)
    return PreparedLesions(prepared, skipped)


def _refuse_deviations(warnings: Iterable[InputWarning]) -> None:
    """Refuse what was read though its file deviates from the standard."""
    for warning in warnings:
        if warning.code in DEVIATIONS:
            raise DeviationError(
                f"strict: found {warning.code} ({warning.detail}), "
                "expected a file that follows the standard"
            )


def _lesions(
    order: Order, settings: Settings, decode: Decode
) -> tuple[list[Lesion], tuple[Skipped, ...]]:
    """Find the lesions and decode the slices that they lie on, and no others.

    Return beside them what of an annotation was skipped.
    """
    max_lesions = settings.max_lesions
    if order.image_format != "dicom":
        ct = _raster(order)
        return [Lesion(ct, outline) for outline in _drawn(order, ct, max_lesions)], ()
    _check_options(order)
    images = [order.image, *order.series]
    series = open_series(images, frame=order.options.frame)
    if settings.strict:  # of all, those that no lesion lies on too
        _refuse_deviations(warning for image in series.images for warning in image.warnings)
    warnings = check_one_patient(images, order.annotation)
    if order.annotation is None:
        ct = slice_at(series, _only(series), decode=decode)
        return [Lesion(ct, outline) for outline in _drawn(order, ct, max_lesions)], ()
    found, skipped = read_lesions(
        order.annotation, series.places, select=order.options.select, most=max_lesions
    )
    slices = {index: slice_at(series, index, decode=decode) for index in _slices(found)}
    lesions = [
        Lesion(
            slices[marked.slice_index],
            marked.outline,
            image_index=series.origins[marked.slice_index][0],
            marked=marked,
            warnings=warnings,
        )
        for marked in found
    ]
    return lesions, skipped


def _slices(found: list[Marked]) -> list[int]:
    return sorted({marked.slice_index for marked in found})


def _only(series: Series) -> int:
    """Return the index of the only slice, or refuse: nothing says on which the lesion lies."""
    if len(series.images) > 1:
        raise SeriesError(
            f"images: found {len(series.images)} and no annotation, "
            "expected one image, or an annotation that says on which of them the lesions are"
        )
    if len(series.places) > 1:
        chosen_frame(series.images[0], None)
    return 0


def _check_options(order: Order) -> None:
    options = order.options
    if options.window is not None:
        raise UnreadableParameterError("window: found one, expected none but for an 8-bit PNG")
    if options.spacing_mm is not None:
        raise UnreadableParameterError("spacing_mm: found one, expected a DICOM file's own")
    if options.select is not None and order.annotation is None:
        raise UnreadableParameterError("select: found one, expected none without an annotation")


def _raster(order: Order) -> CTSlice:
    options = order.options
    for name in ("frame", "select"):
        if getattr(options, name) is not None:
            raise UnreadableParameterError(f"{name}: found one, expected none but for DICOM")
    if order.image_format == "png":
        return read_png(order.image, spacing_mm=options.spacing_mm, window=options.window)
    if options.window is not None:
        raise UnreadableParameterError("window: found one, expected none but for an 8-bit PNG")
    return read_npy(order.image, spacing_mm=options.spacing_mm)


def _drawn(order: Order, ct: CTSlice, max_lesions: int) -> list[Outline] | list[None]:
    """Return the outlines that the request draws; None where the image itself is the ROI.

    Those that the options hold were counted when they were parsed.
    """
    shape = ct.place.shape
    if order.annotation is not None:
        return [
            marked.outline
            for marked in read_lesions(order.annotation, [ct.place], most=max_lesions).marked
        ]
    if order.mask is not None:
        return list(from_mask(read_mask(order.mask), shape=shape, most=max_lesions))
    if order.options.rois:
        return [
            from_box(drawn.x0, drawn.y0, drawn.x1, drawn.y1, shape=shape)
            if isinstance(drawn, Box)
            else from_polygon(drawn.points, shape=shape)
            for drawn in order.options.rois
        ]
    return [None]


def _whole(ct: CTSlice, known: list[InputWarning]) -> Prepared:
    """Take the image as the square around a lesion of unknown extent."""
    rows, cols = ct.hu.shape
    warnings = [*known, _WHOLE]
    if (rows, cols) == (roi.PATCH_SIZE, roi.PATCH_SIZE):
        return Prepared(ct.identity, None, ct.hu, None, None, None, warnings)
    outline = from_box(0, 0, cols, rows, shape=(rows, cols))
    spacing_mm = ct.spacing_mm or (1.0, 1.0)
    patch_hu = roi.cut(ct.hu, spacing_mm, outline, margin=0.0)
    if roi.leaves_image((rows, cols), spacing_mm, outline, margin=0.0):
        warnings.append(_LEAVES)
    return Prepared(ct.identity, None, patch_hu, None, None, None, warnings)


def _cut(lesion: Lesion, outline: Outline, margin: float, known: list[InputWarning]) -> Prepared:
    ct = lesion.ct
    spacing_mm = ct.spacing_mm or (1.0, 1.0)
    shape = ct.place.shape
    diameter_mm = outline.diameter_mm(spacing_mm) if ct.spacing_mm else None
    warnings = [*known, *lesion.warnings, *ct.warnings]
    warnings += lesion.marked.warnings if lesion.marked else ()
    if ct.spacing_mm is None:
        warnings.append(_NO_SPACING)
    if roi.leaves_image(shape, spacing_mm, outline, margin=margin):
        warnings.append(_LEAVES)
    if ct.padding is not None and roi.covers(ct.padding, spacing_mm, outline, margin=margin):
        warnings.append(_PADDING)
    smallest, largest = DIAMETER_RANGE_MM
    if diameter_mm is not None and not smallest <= diameter_mm <= largest:
        warnings.append(
            InputWarning(
                WarningCode.UNUSUAL_DIAMETER,
                f"the lesion measures {diameter_mm:.1f} mm; those of the paper measured "
                f"{smallest:g} to {largest:g} mm",
            )
        )
    return Prepared(
        ct.identity,
        outline,
        roi.cut(ct.hu, spacing_mm, outline, margin=margin),
        Rectangle(x0=outline.x0, y0=outline.y0, x1=outline.x1, y1=outline.y1),
        _square(outline, spacing_mm, margin),
        diameter_mm,
        warnings,
        lesion.image_index,
        lesion.marked,
    )


def _square(outline: Outline, spacing_mm: tuple[float, float], margin: float) -> Rectangle:
    side = roi.side_mm(outline, spacing_mm, margin=margin)
    (x, y), (row_mm, col_mm) = outline.centre_px, spacing_mm
    dx, dy = side / col_mm / 2, side / row_mm / 2
    return Rectangle(x0=x - dx, y0=y - dy, x1=x + dx, y1=y + dy)
