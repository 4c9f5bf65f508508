"""Whether images and an annotation are of one patient, as far as their files say.

A report is filed under the patient of its image, so an annotation of another patient must not get
into it. Patient ID (0010,0020), its issuer (0010,0021) and the Study Instance UID (0020,000D) are
read here, compared and forgotten: nothing of a patient is kept, returned or quoted in a message.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.uid import AllTransferSyntaxes

from lesion.errors import PatientMismatchError, UnreadableImageError, UnreadableOutlineError
from lesion.image import part10
from lesion.image.part10 import RAW, several
from lesion.warning import STUDY_DIFFERS, InputWarning

#: Reads of the parser before the Study Instance UID: no fewer than any reader's of the whole file.
_MOST_READS = 300_000

#: Bytes of an identifier that are decoded; a Long String has 64 characters (PS3.5, 6.2).
_LONGEST_TEXT = 1024

_WANTED: dict[str, Any] = {
    "SpecificCharacterSet": None,
    "PatientID": RAW,
    "IssuerOfPatientID": RAW,
    "StudyInstanceUID": None,
    # As far as a report's attributes reach: what it copies of a file out of order is compared, too.
    "InstanceNumber": None,
}


class _Text(NamedTuple):
    """A Long String as it stands in the file, and decoded: None where that cannot be done."""

    data: bytes
    text: str | None

    def same_as(self, other: "_Text") -> bool:
        """Tell whether two spellings are of one value: by their text, or by their very bytes.

        Case and leading zeros count. Bytes are compared too because some writers lose the Specific
        Character Set on the way.
        """
        return self.data == other.data or (self.text is not None and self.text == other.text)


class _Origin(NamedTuple):
    """Whom and which study a file is of; None and empty where it does not say."""

    patient: _Text | None
    issuer: _Text | None
    study: str


def check_one_patient(
    images: Sequence[bytes], annotation: bytes | None = None
) -> tuple[InputWarning, ...]:
    """Compare Part 10 files. Return a warning where only their studies differ.

    A file that states no patient is of any. Raise `PatientMismatchError` where two state different
    ones, or the `InputError` that says why a file cannot be read.
    """
    if len(images) == 1 and annotation is None:
        return ()
    origins = [_origin(image) for image in images]
    _check(origins, f"{len(images)} images")
    if annotation is not None:
        try:
            origins.append(_origin(annotation))
        except UnreadableImageError as error:
            raise UnreadableOutlineError(f"annotation: {error}") from None
        _check(origins, "the annotation and its image")
    studies = {origin.study for origin in origins} - {""}
    return (STUDY_DIFFERS,) if len(studies) > 1 else ()


def _check(origins: Sequence[_Origin], what: str) -> None:
    stated = [origin for origin in origins if origin.patient is not None]
    for keyword, values in (
        ("Patient ID (0010,0020)", [origin.patient for origin in stated]),
        ("Issuer of Patient ID (0010,0021)", [origin.issuer for origin in stated]),
    ):
        there = [value for value in values if value is not None]
        if any(not value.same_as(there[0]) for value in there[1:]):
            raise PatientMismatchError(
                f"{keyword}: found different ones in {what}, expected those of one patient"
            )


def _origin(data: bytes) -> _Origin:
    values = part10.read(
        data, _WANTED, transfer_syntaxes=AllTransferSyntaxes, max_reads=_MOST_READS
    ).values
    character_set = [str(term) for term in several(values.get("SpecificCharacterSet"))]
    return _Origin(
        _text("Patient ID (0010,0020)", values.get("PatientID"), character_set),
        _text("Issuer (0010,0021)", values.get("IssuerOfPatientID"), character_set),
        str(part10.uid(values.get("StudyInstanceUID"))),
    )


def _text(what: str, value: object, character_set: list[str]) -> _Text | None:
    """Return a Long String without the spaces around it, which say nothing (PS3.5, 6.2)."""
    if not value:
        return None
    if not isinstance(value, bytes):
        raise UnreadableImageError(f"{what}: found a sequence, expected text")
    data = value.strip(b" \0")
    if not data:
        return None
    text = None
    if len(data) <= _LONGEST_TEXT:
        try:
            text = decode_bytes(data, convert_encodings(character_set), set()).strip(" \0")
        except Exception:  # pydicom raises all sorts; the bytes are compared then
            text = None
    return _Text(data, text if text is None or "\ufffd" not in text else None)
