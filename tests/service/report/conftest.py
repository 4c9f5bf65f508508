"""What tests of reports share: an answer's parts, and validators that others wrote."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from lesion.classes import CLASSES, UNDETERMINED, LesionClass
from service.answers import (
    Classification,
    Coded,
    ImageReference,
    LesionAnswer,
    ModelName,
    OutOfDistribution,
    Reason,
    Rectangle,
    Warned,
)
from service.report.source import read_source

_PIXELMED = Path("/usr/share/java/pixelmed.jar")
# Newer Java runtimes bound what an XPath may cost; the validator's rules need more.
_UNBOUND = [f"-Djdk.xml.xpath{limit}Limit=0" for limit in ("TotalOp", "ExprOp", "ExprGrp")]

MADE_AT = datetime(2026, 11, 23, 4, 5, 6, 789000, tzinfo=UTC)


@pytest.fixture
def made_at() -> datetime:
    return MADE_AT


@pytest.fixture
def source(make_ct, encode):
    """What a report takes from a valid CT image."""
    return read_source(encode(make_ct(InstanceNumber=7, StudyDate="20260102", StudyTime="0304")))


@pytest.fixture
def contour() -> np.ndarray:
    return np.array([[10.0, 12.5], [20.25, 12.5], [25.0, 30.0], [9.0, 31.0]])


@pytest.fixture
def answer_for() -> Callable[..., Classification]:
    """Answer for a lesion of each class on an image; the service abstained from the last."""
    return _answer


@pytest.fixture
def dciodvfy(tmp_path) -> Callable[[bytes], str]:
    """Validate a file against its IOD; return the errors."""

    def validate(data: bytes) -> str:
        path = tmp_path / "validated.dcm"
        path.write_bytes(data)
        tool = Path(sys.executable).with_name("dciodvfy")
        done = subprocess.run([tool, path], capture_output=True, text=True, check=False)
        said = done.stdout + done.stderr
        assert said.strip()  # it names the IOD, at least
        return "\n".join(line for line in said.splitlines() if "Error" in line)

    return validate


@pytest.fixture
def pixelmed(tmp_path) -> Callable[[bytes], str]:
    """Validate an SR against its template (PixelMed); return all that it says. Or skip."""
    java = shutil.which("java")
    if java is None or not _PIXELMED.exists():
        pytest.skip("no java, or no PixelMed (Debian: libpixelmed-java, default-jre-headless)")

    def validate(data: bytes) -> str:
        path = tmp_path / "validated.dcm"
        path.write_bytes(data)
        validator = "com.pixelmed.validate.DicomSRValidator"
        command = [java, *_UNBOUND, "-cp", _PIXELMED, validator, path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    return validate


def _answer(
    source, *, frames=(None, None, None), digest="ab" * 32, name="default"
) -> Classification:
    return Classification(
        model=ModelName(name=name, version="0.1.0", digest=digest, simulated=True),
        lesions=[
            _lesion(source, name, frame, abstained=name is CLASSES[-1])
            for name, frame in zip(CLASSES, frames, strict=True)
        ],
        disclaimer="Research only. Not for diagnosis.",
    )


def _lesion(source, name: LesionClass, frame: int | None, *, abstained: bool) -> LesionAnswer:
    rest = {other: 0.0123456789 / 2 for other in CLASSES if other is not name}
    probabilities = {other: rest.get(other, 0.9876543211) for other in CLASSES}
    reason = Reason(code="no-class", detail="no class is probable enough") if abstained else None
    return LesionAnswer(
        image=ImageReference(sop_instance_uid=str(source.SOPInstanceUID), frame_number=frame),
        annotation_number=None,
        roi=None,
        square=Rectangle(x0=5, y0=8, x1=29, y1=35),
        diameter_mm=18.58873637448227,
        label=name,
        probabilities=probabilities,
        prediction_set=[name],
        abstained=abstained,
        reason=reason,
        out_of_distribution=OutOfDistribution(score=4.1, threshold=8.8),
        code=Coded.of(UNDETERMINED if abstained else name.code),
        warnings=[Warned(code="roi-leaves-image", detail="the square leaves the image")],
    )
