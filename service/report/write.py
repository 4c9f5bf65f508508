"""Datasets -> Part 10 files."""

from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

from service.report.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME


def part10_file(dataset: Dataset) -> bytes:
    """Return a dataset, which holds its own file meta information, as the bytes of a file."""
    dataset.preamble = bytes(128)
    dataset.file_meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
    dataset.file_meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    file = BytesIO()
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()
