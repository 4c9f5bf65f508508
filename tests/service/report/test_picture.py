"""The picture shows the slice, the outlines and the notice; as DICOM it is valid."""

from io import BytesIO

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from lesion.ct import CTSlice
from service.answers import Rectangle
from service.report.capture import secondary_capture
from service.report.picture import Drawn, draw, label
from service.report.write import part10_file

SQUARE = np.array([[60.0, 70.0], [100.0, 70.0], [100.0, 110.0], [60.0, 110.0]])
YELLOW = (255, 220, 0)


@pytest.fixture
def lesion(source, answer_for):
    return answer_for(source).lesions[0].model_copy(update={"square": None})


def slice_of(shape, spacing_mm=(0.8, 0.8), hu=50.0):
    return CTSlice(np.full(shape, hu, np.float32), spacing_mm)


def strips(picture, rows):
    margin = (len(picture) - rows) // 2
    return picture[:margin], picture[margin:-margin], picture[-margin:]


def test_the_outline_lies_where_it_was_drawn(lesion):
    picture = draw(slice_of((512, 512)), [Drawn(1, lesion, SQUARE, None, None)])
    above, middle, below = strips(picture, 512)
    assert middle.shape == (512, 512, 3)
    for x, y in ((80, 70), (80, 110), (60, 90), (100, 90)):
        assert tuple(middle[y, x]) == YELLOW
    assert tuple(middle[90, 80]) == tuple(middle[400, 400]) == (127, 127, 127)  # 50 HU
    for strip in (above, below):  # two lines of text on black, in the pixels
        assert (strip == 255).all(axis=-1).sum() > 200
        assert (strip == 0).all(axis=-1).mean() > 0.7


def test_a_small_slice_is_magnified_and_its_pixels_are_square(lesion):
    picture = draw(slice_of((100, 50), (0.5, 1.0)), [Drawn(1, lesion, SQUARE / 4, None, None)])
    rows, cols = len(picture) - 88, picture.shape[1]
    assert rows == cols == 512
    large = draw(slice_of((2048, 1024)), [])
    assert large.shape == (1024 + 88, 512, 3)


def test_activation_glows_in_its_square_and_nowhere_else(lesion):
    activation = np.zeros((8, 8), np.float32)
    activation[0, 7] = 3.0  # at the top, to the right
    where = Rectangle(x0=40, y0=50, x1=120, y1=130)

    def picture(activation):
        return draw(slice_of((512, 512)), [Drawn(1, lesion, SQUARE, where, activation)])

    changed = (picture(activation) != picture(None)).any(axis=-1)
    rows, columns = np.nonzero(changed)
    assert 40 + 6 * 10 <= columns.min() < columns.max() < 120
    assert 44 + 50 <= rows.min() < rows.max() < 44 + 50 + 20
    assert not (picture(-activation) != picture(None)).any()  # what speaks against does not glow


def test_the_words_beside_a_lesion(source, answer_for):
    sure, _, unsure = answer_for(source).lesions
    assert label(1, sure) == "1: cyst 98.8 %, 19 mm"
    assert label(3, unsure) == "3: undetermined (most like hemangioma 98.8 %), 19 mm"


@pytest.mark.parametrize("shape", [(88, 64), (91, 63)])
def test_it_is_a_valid_secondary_capture(source, answer_for, made_at, dciodvfy, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    model = answer_for(source).model

    def capture(frame_number=None):
        return secondary_capture(
            source, model, pixels, report_uid="1.2", made_at=made_at, frame_number=frame_number
        )

    data = part10_file(capture())
    assert not dciodvfy(data)
    read = dcmread(BytesIO(data))
    np.testing.assert_array_equal(read.pixel_array, pixels)
    assert read.SOPClassUID == SecondaryCaptureImageStorage
    assert read.StudyInstanceUID == source.StudyInstanceUID
    assert read.SeriesInstanceUID != source.SeriesInstanceUID
    assert read.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert "research only" in read.SeriesDescription
    assert capture().SOPInstanceUID == read.SOPInstanceUID
    assert capture(2).SOPInstanceUID != read.SOPInstanceUID
    assert capture(2).SourceImageSequence[0].ReferencedFrameNumber == 2
