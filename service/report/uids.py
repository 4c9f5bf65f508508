"""Who made an object and who it is: UIDs are functions of what it says.

The same slice, outlines, bundle and release give the same report, so a PACS that is sent it twice,
after a broken connection or a crash, keeps one: no listener needs to remember what it has sent.
Only its times differ, and the last digits of probabilities, with the company that a batch gave it.
"""

from uuid import NAMESPACE_URL, uuid5

from pydicom.uid import UID

from lesion import __version__
from service.answers import ModelName

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:hepatica:report")


def derived(*purpose: str | int) -> UID:
    """Return the UID under 2.25 (PS3.5, B.2) of a name-based UUID (RFC 9562, version 5)."""
    name = "/".join(map(str, purpose))
    return UID(f"2.25.{uuid5(_NAMESPACE, name).int}")


#: Of all that is made here, and in all of it.
MANUFACTURER = "Hepatica"
#: Of the files that are written here (PS3.7, D.3.3.2).
IMPLEMENTATION_CLASS_UID = derived("implementation")
IMPLEMENTATION_VERSION_NAME = f"HEPATICA_{__version__}"


def software(model: ModelName) -> list[str]:
    """Return Software Versions (0018,1020), the longest first: the last one may be padded."""
    return [model.digest, f"hepatica {__version__}"]
