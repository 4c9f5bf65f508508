"""A DICOM object of annotations, read within the bounds of `lesion.image.part10`."""

from collections.abc import Collection, Mapping
from typing import Any

from pydicom.uid import UID

from lesion.errors import AnnotationError, UnreadableImageError, UnreadableOutlineError
from lesion.image import part10
from lesion.image.part10 import Part10, quote


def read_object(
    data: bytes,
    wanted: Mapping[str, Any],
    *,
    kind: str,
    sop_classes: Collection[UID],
    transfer_syntaxes: Collection[UID],
    max_reads: int,
) -> Part10:
    """Read the wanted attributes of an object that must be of one of some SOP classes.

    `wanted` maps keywords as `part10.read` takes them, SOPClassUID among them; `kind` names the
    object in errors. Raise `AnnotationError` for another SOP class, `UnreadableOutlineError` for
    what cannot be parsed.
    """
    try:
        file = part10.read(data, wanted, transfer_syntaxes=transfer_syntaxes, max_reads=max_reads)
    except UnreadableImageError as error:
        raise UnreadableOutlineError(f"{kind}: {error}") from None
    sop_class = file.values.get("SOPClassUID")
    if sop_class not in sop_classes:
        names = ", ".join(known.name for known in sop_classes)
        raise AnnotationError(
            f"{kind}: SOP class (0008,0016): found {quote(sop_class)}, "
            f"expected {'one of ' * (len(sop_classes) > 1)}{names}"
        )
    return file
