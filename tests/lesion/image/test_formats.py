"""Formats are told by their magic numbers."""

import gzip
from io import BytesIO

import nibabel
import numpy as np
import pytest
from PIL import Image

from lesion.errors import EmptyInputError, UnknownFormatError
from lesion.image.formats import check_not_volume, sniff


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


VOLUME = np.zeros((4, 5, 6), np.int16)


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (nibabel.Nifti1Image, "NIfTI"),
        (nibabel.Nifti2Image, "NIfTI"),
        (nibabel.AnalyzeImage, "Analyze"),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_volume_is_recognised_and_told_what_to_be(kind, word, order, pack):
    header = kind.header_class(endianness=order)
    header.set_data_shape(VOLUME.shape)
    data = pack(header.binaryblock + bytes(500))
    for name, instead in {"image": "DICOM", "mask": "PNG or NPY", "annotation": "SEG"}.items():
        with pytest.raises(UnknownFormatError, match=f"{name}: found .*{word}.*{instead}"):
            check_not_volume(name, data)


def test_other_volumes_of_research_are_recognised_too():
    for data in (b"NRRD0005\ntype: short\n", b"ObjectType = Image\nNDims = 3\n"):
        with pytest.raises(UnknownFormatError, match="save it in Hounsfield units as NPY"):
            check_not_volume("image", data)


def test_a_slice_is_no_volume(make_ct, encode):
    for data in (encode(make_ct()), b"", b"\x1f\x8b", gzip.compress(b"text"), bytes(500)):
        check_not_volume("image", data)
