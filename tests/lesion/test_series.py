"""A series is opened within the bounds of one image, and refused where it is none."""

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, generate_uid

from lesion.errors import MultiFrameError, NotCTError, SeriesError, TooLargeError
from lesion.image.frames import decode_frame
from lesion.series import open_series, slice_at


@pytest.fixture
def files(make_ct, encode):
    uid = generate_uid()
    return [encode(make_ct(np.full((8, 9), 10.0 * n), SeriesInstanceUID=uid)) for n in range(3)]


def test_each_slice_is_that_of_its_image(files):
    series = open_series(files)
    assert series.origins == ((0, 0), (1, 0), (2, 0))
    for index in range(3):
        ct = slice_at(series, index, decode=decode_frame)
        assert (ct.hu == 10 * index).all()
        assert ct.place == series.places[index]


def test_refuses_images_of_two_series_and_one_twice(files, make_ct, encode):
    with pytest.raises(SeriesError, match="found 2 Series Instance UIDs"):
        open_series([*files, encode(make_ct())])
    with pytest.raises(SeriesError, match="the same SOP Instance UID"):
        open_series([*files, files[1]])


def test_refuses_a_frame_of_several_images(files):
    with pytest.raises(SeriesError, match="3 images and a frame"):
        open_series(files, frame=1)
    with pytest.raises(MultiFrameError, match="expected one of 1 to 1"):
        open_series(files[:1], frame=2)


def test_says_which_image_is_wrong(files, make_ct, encode):
    with pytest.raises(NotCTError, match=r"^image 4 of 4: Modality"):
        open_series([*files, encode(make_ct(Modality="MR"))])
    with pytest.raises(NotCTError, match=r"^Modality"):
        open_series([encode(make_ct(Modality="MR"))])


def test_deflated_images_share_the_bytes_of_one(make_ct, encode):
    """Of thirty bombs of 3 MB, which one alone may hold, the series stops at the twenty-second."""
    bomb = encode(make_ct(PixelData=bytes(3 << 20)), DeflatedExplicitVRLittleEndian)
    assert len(bomb) < 10_000
    with pytest.raises(TooLargeError, match=r"^image 22 of 30: deflated DICOM"):
        open_series([bomb] * 30)
