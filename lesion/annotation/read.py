"""The bytes of an annotation -> the lesions that it marks, whichever kind of object it is."""

from collections.abc import Callable, Sequence

from pydicom.uid import UID, RTStructureSetStorage, SegmentationStorage

from lesion.annotation.marked import Marked, Sieve
from lesion.annotation.rtstruct import read_rtstruct
from lesion.annotation.seg import LabelMapSegmentationStorage, read_segments
from lesion.annotation.sr import SOP_CLASSES, read_report
from lesion.ct import Place
from lesion.errors import AnnotationError
from lesion.image import part10
from lesion.image.part10 import quote
from lesion.outline import MOST_REGIONS

_READERS: dict[UID, Callable[..., list[Marked]]] = {
    SegmentationStorage: read_segments,
    LabelMapSegmentationStorage: read_segments,
    RTStructureSetStorage: read_rtstruct,
    **dict.fromkeys(SOP_CLASSES, read_report),
}


def read_annotation(
    data: bytes,
    places: Sequence[Place],
    *,
    select: str | None = None,
    most: int = MOST_REGIONS,
    sieve: Sieve | None = None,
) -> list[Marked]:
    """Read the structures that a SEG, RTSTRUCT or SR marks on the slices, whatever they are.

    `select` chooses one of its segments, ROIs or measurement groups, by number or name; `sieve`
    keeps some of all. Where one marks several of the slices, that on which it covers most is taken.
    Raise the `InputError` that names what is wrong.
    """
    sop_class = part10.sop_class(data)
    if sop_class not in _READERS:
        raise AnnotationError(
            f"annotation: SOP class (0002,0002): found {quote(sop_class)}, "
            f"expected a Segmentation, an RT Structure Set or a measurement report (SR)"
        )
    return _READERS[sop_class](data, places, select=select, most=most, sieve=sieve)
