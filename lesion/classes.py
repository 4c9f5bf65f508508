"""Classes of lesions as data: each a name, by which arrays are ordered, and a code for reports.

Which classes there are, a cohort says, and then the manifest of the bundle that was trained on it.
"""

import hashlib
from typing import NamedTuple


class Code(NamedTuple):
    """A coded concept (DICOM PS3.3, table 8.8-1): its value, coding scheme and meaning."""

    value: str
    scheme: str
    meaning: str


class LesionClass(NamedTuple):
    """A class that a classifier tells apart.

    The name matches `NAME_PATTERN`: it stands in file names, labels of metrics and HTTP headers.
    """

    name: str
    code: Code

    def to_json(self) -> dict[str, object]:
        """Return the class as files hold it: manifests, cohorts' cards, indices of patches."""
        return {"name": self.name, "code": self.code._asdict()}


NAME_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"

#: Our own codes; "99" begins the designator of a private scheme (PS3.16, 8.1).
OWN_SCHEME = "99HEPATICA"
_LONGEST_VALUE = 16  # of a Short String (PS3.5, 6.2)

#: What a lesion is called when the service abstains.
UNDETERMINED = Code("300331000", "SCT", "Lesion of liver")


def own_code(name: str) -> Code:
    """Return the code of a class that has none in a public scheme, made from its name."""
    value = name
    if len(value) > _LONGEST_VALUE:
        value = f"{name[:9]}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
    return Code(value, OWN_SCHEME, name.replace("_", " ").capitalize())
