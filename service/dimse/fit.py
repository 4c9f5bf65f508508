"""Finds the series on whose planes an annotation lies, whose own images are absent."""

from collections.abc import Sequence

from lesion.annotation.lesions import read_lesions
from lesion.errors import AnnotationError, InputError, MaskSizeError, SeriesError, TooLargeError
from lesion.image import part10
from lesion.image.frames import TRANSFER_SYNTAXES
from lesion.patient import check_one_patient
from lesion.series import open_series
from service.dimse.spool import Kept, Spool


class NoSeriesError(AnnotationError):
    """The annotation lies on no series of its study."""


def fitting_series(
    annotation: Kept,
    candidates: Sequence[Sequence[Kept]],
    spool: Spool,
    *,
    select: str | None,
    max_bytes: int,
) -> Sequence[Kept]:
    """Return the images of the one series in whose frame of reference and planes it lies.

    Raise `NoSeriesError` where there is none, `SeriesError` that tells which where there are
    several, `PatientMismatchError` where one of them states another patient, or the `InputError`
    that names what is wrong with the annotation.
    """
    data = spool.read(annotation)
    fitting: list[Sequence[Kept]] = []
    numbers: list[str] = []
    for series in candidates:
        if sum(kept.identity.head or kept.size for kept in series) > max_bytes - annotation.size:
            raise TooLargeError(
                f"annotation: found a series of {len(series)} images to compare it with, "
                f"expected at most {max_bytes} bytes"
            )
        heads = [spool.read_head(kept) for kept in series]
        if _lies_on(data, heads, select):
            check_one_patient(heads, data)
            fitting.append(series)
            numbers.append(f"{_series_number(heads[0])} ({len(series)} images)")
    if not fitting:
        raise NoSeriesError(
            f"annotation: found none of its images, and it lies on none of {len(candidates)} "
            "series of its study and frame of reference, expected one of them"
        )
    if len(fitting) > 1:
        raise SeriesError(
            f"annotation: found none of its images, and {len(fitting)} series on whose planes it "
            f"lies, of Series Number (0020,0011) {', '.join(numbers)}; expected one"
        )
    return fitting[0]


def _lies_on(annotation: bytes, heads: Sequence[bytes], select: str | None) -> bool:
    try:
        places = open_series(heads).places
    except InputError:  # nothing that could be classified
        return False
    try:
        read_lesions(annotation, places, select=select)
    except (AnnotationError, MaskSizeError):
        return False
    return True


def _series_number(head: bytes) -> str:
    """Return a Series Number, which names a series to people and nobody else."""
    file = part10.read(head, {"SeriesNumber": None}, transfer_syntaxes=TRANSFER_SYNTAXES)
    found = file.values.get("SeriesNumber")
    return str(int(found)) if isinstance(found, int) else "none"
