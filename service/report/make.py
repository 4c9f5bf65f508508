"""The report of one request, as files."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from pydicom.dataset import Dataset

from lesion.classes import Code
from lesion.contour import contour
from lesion.image.dicom import read_ct
from lesion.image.frames import Decode
from service.answers import Classification, ImageReference
from service.report.capture import secondary_capture
from service.report.objects import Kind, Made, Seen
from service.report.picture import Drawn, draw
from service.report.source import read_source
from service.report.sr import Line, structured_report
from service.report.write import part10_file


def report(
    answer: Classification, seen: Sequence[Seen], codes: Mapping[str, Code], *, made_at: datetime
) -> Made:
    """Return the report of the lesions of one request; `seen` are the answer's, in its order.

    `codes` are those of the classes.
    Raise `ReportError` where no report can refer to an image or hold an outline.
    """
    files = dict.fromkeys(one.file for one in seen)
    sources = [read_source(file) for file in files]
    lines = [Line(contour(one.outline), one.tracking_uid) for one in seen]
    return _made("report", structured_report(sources, answer, lines, codes, made_at=made_at))


def pictures(
    answer: Classification, seen: Sequence[Seen], made: Made, *, made_at: datetime, decode: Decode
) -> list[Made]:
    """Return a picture of each slice that the report `made` is about, with all of its lesions.

    `decode` turns a compressed frame into pixels.
    """
    shown: dict[tuple[ImageReference, bytes], list[Drawn]] = {}
    for number, (lesion, one) in enumerate(zip(answer.lesions, seen, strict=True), start=1):
        if lesion.image is not None:
            drawn = Drawn(number, lesion, contour(one.outline), lesion.square, one.activation)
            shown.setdefault((lesion.image, one.file), []).append(drawn)
    captures = []
    for (image, file), lesions in shown.items():
        source = read_source(file)
        pixels = draw(read_ct(file, frame=image.frame_number, decode=decode), lesions)
        picture = secondary_capture(
            source,
            answer.model,
            pixels,
            report_uid=made.instance,
            made_at=made_at,
            frame_number=image.frame_number,
        )
        captures.append(_made("capture", picture))
    return captures


def _made(kind: Kind, dataset: Dataset) -> Made:
    return Made(
        kind,
        str(dataset.SOPClassUID),
        str(dataset.StudyInstanceUID),
        str(dataset.SeriesInstanceUID),
        str(dataset.SOPInstanceUID),
        part10_file(dataset),
    )
