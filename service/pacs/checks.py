"""What a PACS answered, held against what it was asked."""

import json
from typing import Any, NamedTuple

from pydicom.uid import AllTransferSyntaxes

from lesion.errors import InputError
from lesion.image import part10
from service.problems import PacsAnswerError, PacsMismatchError

_IDENTITY = {"StudyInstanceUID": None, "SeriesInstanceUID": None, "SOPInstanceUID": None}

_STORED, _FAILED, _REASON = "00081199", "00081198", "00081197"
_DUPLICATE = 0x0111
#: Why a PACS did not store an object (PS3.18, 10.5.3; PS3.4, B.2.3).
_REASONS = {
    0x0110: "processing failure",
    0x0122: "SOP class not supported",
    0x0124: "not authorized",
}


class Instance(NamedTuple):
    """What identifies one object of a PACS: three UIDs."""

    study: str
    series: str
    instance: str


def check_identity(data: bytes, asked: Instance, name: str) -> None:
    """Refuse another instance than the one asked for; say which UID differs, never what it is."""
    try:
        file = part10.read(data, _IDENTITY, transfer_syntaxes=AllTransferSyntaxes)
    except InputError as error:
        raise PacsAnswerError(f"PACS {name}: found no DICOM object ({error})") from None
    found = [str(part10.uid(file.values.get(keyword))) for keyword in _IDENTITY]
    other = [
        keyword
        for keyword, is_there, expected in zip(_IDENTITY, found, asked, strict=True)
        if is_there != expected
    ]
    if other:
        raise PacsMismatchError(
            f"PACS {name}: found an instance of another {', '.join(other)}, expected those asked"
        )


def refusal(status: int, said: bytes) -> str | None:
    """Say why an object was not stored, by the status and body of a STOW-RS answer; None if it was.

    200 means that it was stored, 202 that it was, perhaps, and the body says so (PS3.18, 10.5.3).
    """
    answer = _json(said)
    if answer is None and (said or status != 200):
        return f"status {status} and nothing that can be read"
    failed = (answer or {}).get(_FAILED)
    if isinstance(failed, dict) and failed.get("Value"):
        code = _reason(failed)
        # Its UID follows from what it says: what is there already is this very report.
        return None if code == _DUPLICATE else f"status {status}, {_words(code)}"
    stored = (answer or {}).get(_STORED)
    if status == 200 or (status == 202 and isinstance(stored, dict) and stored.get("Value")):
        return None
    return f"status {status}"


def _json(said: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None


def _reason(failed: dict[str, Any]) -> int | None:
    """Read the Failure Reason (0008,1197) of the first instance that failed."""
    try:
        return int(failed["Value"][0][_REASON]["Value"][0])
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _words(code: int | None) -> str:
    if code is None:
        return "no failure reason"
    meaning = _REASONS.get(code, {0xA7: "out of resources"}.get(code >> 8, ""))
    return f"failure reason {code & 0xFFFF:04X}H {meaning}".rstrip()
