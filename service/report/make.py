"""The report of one request, as files."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from pydicom.dataset import Dataset

from lesion.contour import contour
from lesion.image.part10 import silenced
from lesion.outline import Outline
from service.answers import Classification
from service.report.source import read_source
from service.report.sr import structured_report
from service.report.write import part10_file


class Made(NamedTuple):
    """A DICOM object: what it is, who it is, and its Part 10 file."""

    kind: Literal["report", "capture"]
    sop_class: str
    study: str
    series: str
    instance: str
    data: bytes


def make(
    files: Iterable[bytes],
    answer: Classification,
    outlines: Sequence[Outline],
    *,
    made_at: datetime,
) -> list[Made]:
    """Return the report of the lesions of one request.

    `files` are the images that the answer names, `outlines` one of each lesion. Raise `ReportError`
    where no report can refer to an image or hold an outline.
    """
    sources = [read_source(file) for file in files]
    contours = [contour(outline) for outline in outlines]
    with silenced():
        report = structured_report(sources, answer, contours, made_at=made_at)
        return [_made("report", report)]


def _made(kind: Literal["report", "capture"], dataset: Dataset) -> Made:
    return Made(
        kind,
        str(dataset.SOPClassUID),
        str(dataset.StudyInstanceUID),
        str(dataset.SeriesInstanceUID),
        str(dataset.SOPInstanceUID),
        part10_file(dataset),
    )
