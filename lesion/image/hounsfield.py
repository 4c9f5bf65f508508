"""Stored values of a CT frame -> Hounsfield units, padding apart."""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32

from lesion.ct import AIR_HU
from lesion.errors import PixelFormatError, RescaleError, UnreadableImageError
from lesion.image.frames import Layout, Words, stored_values
from lesion.image.values import numbers, quote
from lesion.warning import InputWarning, WarningCode

#: From below air to the most that 12 bits hold above -1024: what a CT measures but for metal.
PLAUSIBLE_HU = (-1100.0, 3100.0)
#: The share of pixels that must lie there, and of those that must be air, where only the values
#: tell that they are Hounsfield units. Air, or an intercept, is what sets their zero.
_PLAUSIBLE = 0.99
_AIR = 0.001
_AIR_HU = (-1100.0, -900.0)

_RESCALE_US = InputWarning(
    WarningCode.RESCALE_TYPE_US,
    "Rescale Type (0028,1054) is US, unspecified: the values are taken as Hounsfield units, which "
    "they can be by their slope, their range and their air",
)


class Rescale(NamedTuple):
    """Rescale Slope (0028,1053) and Intercept (0028,1052) to HU; `specified` where the type is."""

    slope: float
    intercept: float
    specified: bool


class Hounsfield(NamedTuple):
    """The pixels in HU, and which were never measured; these hold `AIR_HU`."""

    hu: Float32[np.ndarray, "rows cols"]
    padding: Bool[np.ndarray, "rows cols"] | None
    warnings: tuple[InputWarning, ...]


def to_hounsfield(
    frame: Words, values: dict[str, Any], rescale: Rescale, described: Layout
) -> Hounsfield:
    """Turn the words of a frame into HU.

    `values` hold the image's padding, `described` is the layout that its dataset states. Raise
    `RescaleError` where the values are not what they would have to be to be HU.
    """
    stored = stored_values(frame.words, frame.layout)
    hu = stored.astype(np.float32)
    hu *= np.float32(rescale.slope)
    hu += np.float32(rescale.intercept)
    padding = _padding(values, stored, frame)
    warnings = frame.warnings
    if frame.layout.signed != described.signed:
        _check_sign(hu, padding)
    if not rescale.specified:
        _check_unspecified(hu, padding, rescale)
        warnings += (_RESCALE_US,)
    if padding is not None:
        hu[padding] = AIR_HU
    return Hounsfield(hu, padding, warnings)


def read_rescale(values: dict[str, Any]) -> Rescale:
    """Read the attributes of the Modality LUT (PS3.3, C.11.1).

    An absent Rescale Type (0028,1054) means HU for a CT image (PS3.3, C.8.2.1). US means that the
    type is not specified, as converters of research data write it. Any other means that the values
    are something else, such as a material's density: raise `RescaleError`.
    """
    kind = values.get("RescaleType")
    if kind not in (None, "", "HU", "US"):
        raise RescaleError(f"Rescale Type (0028,1054): found {quote(kind)}, expected 'HU' or none")
    slope = numbers(values.get("RescaleSlope"), 1)
    intercept = numbers(values.get("RescaleIntercept"), 1)
    if slope is None or not 0 < slope[0] <= 100:
        raise RescaleError(
            f"Rescale Slope (0028,1053): found {quote(values.get('RescaleSlope'))}, "
            "expected a number above 0 and at most 100"
        )
    if intercept is None or abs(intercept[0]) > 1e5:
        raise RescaleError(
            f"Rescale Intercept (0028,1052): found {quote(values.get('RescaleIntercept'))}, "
            "expected a number within -100000 to 100000"
        )
    return Rescale(slope[0], intercept[0], specified=kind != "US")


def _check_unspecified(
    hu: Float32[np.ndarray, "rows cols"],
    padding: Bool[np.ndarray, "rows cols"] | None,
    rescale: Rescale,
) -> None:
    """Raise `RescaleError` unless values of no specified type can only be HU."""
    measured = hu.ravel() if padding is None else hu[~padding]
    low, high = PLAUSIBLE_HU
    plausible = _share(measured, low, high)
    air = _share(measured, *_AIR_HU)
    offset = _AIR_HU[0] <= rescale.intercept <= _AIR_HU[1]
    if rescale.slope != 1 or plausible < _PLAUSIBLE or not (offset or air >= _AIR):
        raise RescaleError(
            f"Rescale Type (0028,1054): found 'US', slope {rescale.slope:g}, intercept "
            f"{rescale.intercept:g}, {plausible:.1%} of pixels in {low:g} to {high:g} and "
            f"{air:.1%} of air, expected 'HU' or none; or values that can only be HU: slope 1, "
            f"{_PLAUSIBLE:.0%} of pixels there, and {_AIR:.1%} of air or an intercept near -1024"
        )


def _check_sign(
    hu: Float32[np.ndarray, "rows cols"], padding: Bool[np.ndarray, "rows cols"] | None
) -> None:
    """Refuse the sign of a codestream that gives values which no CT measures.

    Writers code signed words as numbers without a sign, and the other way round: the codestream's
    rule would then turn the air around a patient into more than metal.
    """
    measured = hu if padding is None else hu[~padding]
    if measured.size and measured.max() > PLAUSIBLE_HU[1]:
        raise UnreadableImageError(
            f"JPEG 2000 codestream: found another sign than Pixel Representation (0028,0103), and "
            f"values up to {measured.max():g} HU by it, expected at most {PLAUSIBLE_HU[1]:g}"
        )


def _share(hu: Float32[np.ndarray, " n"], low: float, high: float) -> float:
    return float(((hu >= low) & (hu <= high)).mean()) if hu.size else 0.0


def _padding(
    values: dict[str, Any], stored: np.ndarray, frame: Words
) -> Bool[np.ndarray, "rows cols"] | None:
    """Mark the pixels that were never measured (PS3.3, C.7.5.1.1.2).

    Those from Pixel Padding Value (0028,0120) to Pixel Padding Range Limit (0028,0121), either way
    round, in stored values; or in whole words, by writers whose value needs bits above Bits Stored.
    """
    value, limit = (
        values.get(keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
    )
    if value in (None, ""):
        return None
    ends = [value, value if limit in (None, "") else limit]
    if not all(isinstance(end, int) for end in ends):
        raise PixelFormatError(
            f"Pixel Padding (0028,0120), (0028,0121): found {quote(ends)}, expected whole numbers"
        )
    # Writers disagree on the sign of these (US or SS): the same 16 bits are meant.
    low, high = sorted(np.array([end & 0xFFFF for end in ends], np.uint16).view(stored.dtype))
    padding: np.ndarray = (stored >= low) & (stored <= high)
    if not np.shares_memory(stored, frame.words):
        whole = frame.words.view(stored.dtype)
        padding |= (whole >= low) & (whole <= high)
    return padding if padding.any() else None
