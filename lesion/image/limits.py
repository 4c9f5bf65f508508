"""What every format is held to before its pixels are decoded."""

from lesion.errors import PixelFormatError, SpacingError, TooLargeError
from lesion.image.values import quote

#: No CT matrix is larger.
MOST_PIXELS_A_SIDE = 2048

#: From a specimen's pixels to coarser than any CT's: beyond lies a wrong unit.
SPACING_MM = (0.01, 10.0)

#: CT pixels are square, those of a reformatted slice up to five times as long as wide. What the ROI
#: rule costs grows with this.
MOST_ANISOTROPY = 8.0


def check_size(where: str, rows: object, columns: object) -> tuple[int, int]:
    """Return rows and columns; raise unless both are whole numbers from 1 to the limit."""
    if not (isinstance(rows, int) and isinstance(columns, int) and min(rows, columns) >= 1):
        raise PixelFormatError(
            f"{where}: found {quote(rows)}x{quote(columns)} pixels, expected some"
        )
    if max(rows, columns) > MOST_PIXELS_A_SIDE:
        raise TooLargeError(
            f"{where}: found {quote(rows)}x{quote(columns)} pixels, "
            f"expected at most {MOST_PIXELS_A_SIDE}x{MOST_PIXELS_A_SIDE}"
        )
    return rows, columns


def check_spacing_mm(
    where: str, found: tuple[float, ...] | None, quoted: str
) -> tuple[float, float]:
    """Return the spacing; raise `SpacingError` unless it is two mm that a CT image can have."""
    low, high = SPACING_MM
    if found is None or len(found) != 2 or not all(low <= mm <= high for mm in found):
        raise SpacingError(
            f"{where}: found {quoted}, expected two numbers of {low:g} to {high:g} mm"
        )
    if max(found) > MOST_ANISOTROPY * min(found):
        raise SpacingError(
            f"{where}: found {quoted}, expected one at most {MOST_ANISOTROPY:g} times the other"
        )
    return found[0], found[1]
