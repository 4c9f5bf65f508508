"""What tests of reports share: an answer's parts."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from lesion.classes import UNDETERMINED
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
from training.phantom.classes import CLASSES, LesionClass

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
