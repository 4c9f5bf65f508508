"""What a report takes from the image that it is about: its UIDs, its patient and its study.

The values are the image's own, so that the PACS files the report beside it. What is no valid date,
time or sex is left empty, as the standard allows (type 2); an image without UIDs has no report.
"""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import DA, TM, PersonName

from lesion.image import part10
from lesion.image.frames import TRANSFER_SYNTAXES
from service.problems import ReportError

_UIDS = {
    "SOPClassUID": "(0008,0016)",
    "SOPInstanceUID": "(0008,0018)",
    "StudyInstanceUID": "(0020,000D)",
    "SeriesInstanceUID": "(0020,000E)",
}
#: Of the Patient and the General Study module. An empty value stands for one that is missing.
_TYPE_2 = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
_TYPE_3 = (
    "IssuerOfPatientID",
    "StudyDescription",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "SyntheticData",
    "TimezoneOffsetFromUTC",
    "InstanceNumber",
)
#: What is the image's own, and no part of its study.
_OWN = {"SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "InstanceNumber"}
_CODE = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
_METHODS = "DeidentificationMethodCodeSequence"
_WANTED: dict[str, Any] = {
    **dict.fromkeys((*_UIDS, *_TYPE_2, *_TYPE_3)),
    _METHODS: dict.fromkeys(_CODE),
}

_DATE = re.compile(r"\d{8}")
_TIME = re.compile(r"\d\d(\d\d(\d\d(\.\d{1,6})?)?)?")
_OFFSET = re.compile(r"[+-](0\d|1[0-4])[0-5]\d")


def read_source(data: bytes) -> Dataset:
    """Read what a report needs of an image: the bytes of a Part 10 file that `read_ct` takes.

    Raise `ReportError` where it lacks one of the UIDs by which a report refers to it.
    """
    file = part10.read(data, _WANTED, transfer_syntaxes=TRANSFER_SYNTAXES)
    values = {**file.values}
    values["SOPClassUID"] = values.get("SOPClassUID") or file.sop_class
    found = {keyword: part10.uid(values.get(keyword)) for keyword in _UIDS}
    missing = [f"{key} {tag}" for key, tag in _UIDS.items() if not found[key].is_valid]
    if missing:
        raise ReportError(
            f"report: found an image without {', '.join(missing)} (de-identified?), "
            "expected all of its UIDs, by which a report refers to it; ask for JSON instead"
        )
    source = Dataset()
    for keyword in _TYPE_2:
        _set(source, keyword, _checked(keyword, values.get(keyword)))
    for keyword in _TYPE_3:
        if (value := _checked(keyword, values.get(keyword))) != "":
            _set(source, keyword, value)
    for keyword, value in found.items():
        _set(source, keyword, value)
    if methods := [_method(item) for item in values.get(_METHODS, [])]:
        _set(source, _METHODS, methods)
    if not methods and "DeidentificationMethod" not in source:
        source.pop("PatientIdentityRemoved", None)  # which may not stand without the one or other
    if not _is_ascii(source):
        _set(source, "SpecificCharacterSet", "ISO_IR 192")
    return source


def local_time(source: Dataset, moment: datetime) -> datetime:
    """Return a moment in the time zone of the image's own dates, where it names one."""
    offset = source.get("TimezoneOffsetFromUTC")
    if offset is None:
        return moment
    sign = -1 if offset[0] == "-" else 1
    minutes = 60 * int(offset[1:3]) + int(offset[3:5])
    return moment.astimezone(timezone(sign * timedelta(minutes=minutes)))


def inherit(document: Dataset, source: Dataset) -> None:
    """Copy the patient and the study, and what else holds for all that is made of the image."""
    for element in source:
        if element.keyword not in _OWN:
            document[element.keyword] = element


def _checked(keyword: str, value: Any) -> Any:
    """Return a value as it may be written; an empty one where it may not."""
    vr = dictionary_VR(keyword)
    if vr == "IS":
        return value if isinstance(value, int) and 0 < value < 2**31 else ""
    text = "" if value is None else "\\".join(map(str, value if _many(value) else [value]))
    if "\ufffd" in text or isinstance(value, bytes):
        raise ReportError(
            f"report: found a {keyword} that its Specific Character Set (0008,0005) cannot spell, "
            "expected one that can be copied unchanged"
        )
    if vr == "PN":
        return PersonName(text)
    return text if _VALID.get(keyword, _VALID.get(vr, bool))(text) else ""


def _many(value: Any) -> bool:
    """Tell several values, where the standard has one, from one: they are copied all the same."""
    return isinstance(value, MultiValue)


def _is(pattern: re.Pattern[str], kind: type[DA] | type[TM], text: str) -> bool:
    try:
        return bool(pattern.fullmatch(text)) and bool(kind(text))
    except ValueError:
        return False


_VALID: dict[str, Callable[[str], bool]] = {
    "DA": lambda text: _is(_DATE, DA, text),
    "TM": lambda text: _is(_TIME, TM, text),
    "PatientSex": lambda text: text in {"M", "F", "O"},
    "PatientIdentityRemoved": lambda text: text in {"YES", "NO"},
    "SyntheticData": lambda text: text in {"YES", "NO"},
    "TimezoneOffsetFromUTC": lambda text: bool(_OFFSET.fullmatch(text)),
}


def _method(values: dict[str, Any]) -> Dataset:
    item = Dataset()
    for keyword in _CODE:
        _set(item, keyword, str(values.get(keyword) or ""))
    return item


def _set(dataset: Dataset, keyword: str, value: Any) -> None:
    """Set a value as it is: a check of pydicom's would warn of it, and quote it."""
    vr = dictionary_VR(keyword)
    dataset[keyword] = DataElement(keyword, vr, value, validation_mode=IGNORE)


def _is_ascii(source: Dataset) -> bool:
    return all(str(element.value).isascii() for element in source)
