"""`python -m benchmarks.sr`: what a report costs, in ms of one core, beside its parts.

Building is pure work of one thread, so it is timed as processor time: what else runs on the machine
disturbs that least. The first report of a process also imports highdicom.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from statistics import median

import numpy as np
from pydicom.dataset import FileDataset

from benchmarks.parts import phantom
from lesion.contour import contour
from lesion.image.frames import decode_frame
from lesion.outline import Outline, from_mask
from service.answers import (
    Classification,
    Coded,
    ImageReference,
    LesionAnswer,
    ModelName,
    OutOfDistribution,
    Rectangle,
)
from service.report.make import pictures, report
from service.report.objects import Seen
from service.report.source import read_source
from training.phantom import dicom
from training.phantom.classes import CLASSES

_LESIONS = (1, 4, 16)
_IMPORT = "import time, service.app; t = time.process_time(); import service.report.make; "
_TELL = "print(time.process_time() - t)"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sr", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    image, _ = phantom()
    codes = {str(name): name.code for name in CLASSES}
    file, outline = dicom.part10(image), _disc()
    made_at = datetime.now(UTC)
    print("| what | CPU ms, median (least) of", rounds, "|\n| --- | --- |")
    _tell("read the image's attributes", rounds, lambda: read_source(file))
    _tell("contour of a mask of 60 mm", rounds, lambda: contour(outline))
    for count in _LESIONS:
        answer, seen = answer_of(image, count), [Seen(file, outline)] * count
        _tell(
            f"report, lesions: {count}",
            rounds,
            partial(report, answer, seen, codes, made_at=made_at),
        )
    answer, seen = (
        answer_of(image, 1),
        [Seen(file, outline, activation=np.eye(8, dtype=np.float32))],
    )
    made = report(answer, seen, codes, made_at=made_at)
    _tell(
        "picture, 512x512",
        rounds,
        lambda: pictures(answer, seen, made, made_at=made_at, decode=decode_frame),
    )
    first = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", _IMPORT + _TELL], capture_output=True, text=True, check=True
    )
    print(f"| once in a process: import | {1000 * float(first.stdout):.0f} |")


def answer_of(image: FileDataset, count: int) -> Classification:
    """Return an answer for so many lesions of an image, as the service gives one."""
    square = Rectangle(x0=200, y0=200, x1=300, y1=300)
    name = CLASSES[0]
    lesion = LesionAnswer(
        image=ImageReference(sop_instance_uid=str(image.SOPInstanceUID), frame_number=None),
        annotation_number=1,
        roi=square,
        square=square,
        diameter_mm=18.6,
        label=name,
        probabilities={other: float(other is name) for other in CLASSES},
        prediction_set=[name],
        abstained=False,
        reason=None,
        out_of_distribution=OutOfDistribution(score=4.1, threshold=8.8),
        code=Coded.of(name.code),
        warnings=[],
    )
    model = ModelName(name="default", version="0.1.0", digest="ab" * 32, simulated=True)
    return Classification(model=model, lesions=[lesion] * count, disclaimer="Research only.")


def _disc() -> Outline:
    y, x = np.mgrid[:512, :512]
    (outline,) = from_mask(np.hypot(x - 250, y - 250) < 43, shape=(512, 512))
    return outline


def _tell(what: str, rounds: int, job: Callable[[], object]) -> None:
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        job()
        spent.append(1000 * (time.process_time() - began))
    print(f"| {what} | {median(spent):.1f} ({min(spent):.1f}) |")


if __name__ == "__main__":
    main()
