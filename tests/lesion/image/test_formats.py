"""Formats are told by their magic numbers."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from lesion.errors import EmptyInputError, UnknownFormatError
from lesion.image.formats import sniff


def test_tells_the_three_formats(make_ct, encode):
    png, npy = BytesIO(), BytesIO()
    Image.new("L", (2, 2)).save(png, "PNG")
    np.save(npy, np.ones((2, 2)))
    assert sniff(encode(make_ct())) == "dicom"
    assert sniff(png.getvalue()) == "png"
    assert sniff(npy.getvalue()) == "npy"


@pytest.mark.parametrize(
    "data", [b"x", b"{}", b"GIF89a", b"\xff\xd8\xff\xe0", b"PK\x03\x04", b"DICM", bytes(500)]
)
def test_refuses_all_others(data):
    with pytest.raises(UnknownFormatError):
        sniff(data)


def test_refuses_nothing_at_all():
    with pytest.raises(EmptyInputError):
        sniff(b"")
