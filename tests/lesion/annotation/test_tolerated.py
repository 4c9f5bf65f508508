"""Annotations that deviate from the standard and have one meaning are read by it, and say so."""

from struct import pack

import highdicom as hd
import numpy as np
import pytest
from pydicom.datadict import dictionary_VR
from pydicom.encaps import encapsulate
from pydicom.tag import Tag

from lesion.annotation.read import read_annotation
from lesion.errors import (
    AnnotationError,
    MaskSizeError,
    UnknownFormatError,
    UnreadableOutlineError,
)
from lesion.image.dicom import read_ct

SHAPE = (37, 45)
MASK = np.zeros(SHAPE, bool)
MASK[10:20, 12:30] = True


@pytest.fixture
def image(make_ct):
    return make_ct(np.zeros(SHAPE))


@pytest.fixture
def annotations(image, make_seg, make_rtstruct, make_sr, to_mm, encode):
    """The same lesion in every kind of object."""
    square = [[12, 10], [30, 10], [30, 20], [12, 20]]
    selected = hd.sr.SourceImageForRegion.from_source_image(image)
    region = hd.sr.ImageRegion("POLYLINE", np.array([*square, square[0]], float), selected)
    image.file_meta = None
    return {
        "seg": encode(make_seg(image, [(1, MASK)])),
        "rtstruct": encode(make_rtstruct([image], {"lesion": [(image, to_mm(image, square))]})),
        "sr": encode(make_sr([image], [("lesion", region)])),
    }


@pytest.fixture
def read(image, encode):
    """Read one lesion; return its outline's box and the codes of its warnings."""
    place = read_ct(encode(image)).place

    def marked(data):
        (lesion,) = read_annotation(data, [place])
        box = (lesion.outline.x0, lesion.outline.y0, lesion.outline.x1, lesion.outline.y1)
        return box, [str(warning.code) for warning in lesion.warnings]

    return marked


def bare(data):
    return data[144 + int.from_bytes(data[140:144], "little") :]


def rewritten(data, keyword, vr, value):
    """A file of which the first element of a keyword is written under another VR."""
    tag = Tag(keyword)
    start = pack("<HH", tag.group, tag.element) + dictionary_VR(tag).encode()
    before, found, after = data.rpartition(start)
    assert found
    assert vr not in {"OB", "OW", "SQ", "UN", "UT"}
    size = int.from_bytes(after[:2], "little")
    assert len(value) == size  # nothing around it tells another length
    return before + start[:4] + vr.encode() + pack("<H", len(value)) + value + after[2 + size :]


@pytest.mark.parametrize("kind", ["seg", "rtstruct", "sr"])
@pytest.mark.parametrize(
    ("cut", "code"),
    [
        (lambda data: data[128:], "no-preamble"),
        (lambda data: data[132:], "no-preamble"),
        (bare, "no-file-meta"),
    ],
    ids=["from-DICM", "from-file-meta", "data-set"],
)
def test_a_file_without_its_beginning(annotations, read, kind, cut, code):
    whole = annotations[kind]
    box, codes = read(whole)
    assert not codes
    assert read(cut(whole)) == (box, [code])


def test_junk_is_no_annotation(read):
    with pytest.raises(UnknownFormatError):
        read(b"DICM" + bytes(500))


@pytest.mark.parametrize(
    ("kind", "keyword", "vr", "value"),
    [
        ("seg", "BitsAllocated", "DS", b"1 "),
        ("seg", "Rows", "IS", b"37"),
        ("seg", "Columns", "SS", pack("<h", 45)),
        ("seg", "ReferencedSegmentNumber", "DS", b"1 "),
        ("seg", "SegmentNumber", "LO", b"1 "),
        ("seg", "NumberOfFrames", "US", pack("<H", 1)),
        ("rtstruct", "ROINumber", "DS", b"1 "),
        ("rtstruct", "ReferencedROINumber", "US", pack("<H", 1)),
    ],
)
def test_a_value_under_another_vr_of_its_kind(annotations, read, kind, keyword, vr, value):
    whole = annotations[kind]
    box, _ = read(whole)
    assert read(rewritten(whole, keyword, vr, value)) == (box, ["value-representation"])


@pytest.mark.parametrize(
    ("kind", "keyword", "vr", "value", "error"),
    [
        ("seg", "Rows", "DS", b"x ", MaskSizeError),
        ("seg", "ReferencedSegmentNumber", "LO", b"no", UnreadableOutlineError),
        ("seg", "BitsAllocated", "AT", b"\1\0", UnreadableOutlineError),
        ("rtstruct", "ReferencedROINumber", "DS", b".5", UnreadableOutlineError),
        ("rtstruct", "ROINumber", "AT", b"1 ", UnreadableOutlineError),
        ("rtstruct", "ROIName", "AT", b"lesion", UnreadableOutlineError),
        ("rtstruct", "ContourData", "LO", None, UnreadableOutlineError),
        ("sr", "GraphicData", "FD", None, UnreadableOutlineError),
        ("sr", "GraphicType", "FL", None, UnreadableOutlineError),
    ],
)
def test_a_value_that_has_no_meaning_is_refused(annotations, read, kind, keyword, vr, value, error):
    whole = annotations[kind]
    if value is None:
        tag = Tag(keyword)
        start = pack("<HH", tag.group, tag.element)
        assert whole.count(start + dictionary_VR(tag).encode()) == 1
        data = whole.replace(start + dictionary_VR(tag).encode(), start + vr.encode())
    else:
        data = rewritten(whole, keyword, vr, value)
    with pytest.raises(error):
        read(data)


def with_pixel_data(data, change):
    """A SEG of other Pixel Data, its last element."""
    at = data.rindex(b"\xe0\x7f\x10\0O") + 12
    pixels = change(data[at:])
    return data[: at - 4] + pack("<L", len(pixels)) + pixels


@pytest.mark.parametrize("excess", [1, 2, 4, 200])
def test_pixel_data_longer_than_the_pixels(annotations, read, excess):
    """1665 pixels: 209 bytes, and one that makes their number even."""
    whole = annotations["seg"]
    box, codes = read(whole)
    assert not codes
    assert read(with_pixel_data(whole, lambda pixels: pixels[:209])) == (box, [])
    longer = with_pixel_data(whole, lambda pixels: pixels + b"\xff" * excess)
    assert read(longer) == (box, ["excess-pixel-data"])


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: pixels[:208],
        lambda pixels: b"",
        lambda pixels: pixels + bytes(209),
        lambda pixels: encapsulate([pixels]),
    ],
    ids=["short", "none", "a-frame-more", "encapsulated"],
)
def test_pixel_data_of_another_number_of_frames_is_refused(annotations, read, change):
    with pytest.raises(UnreadableOutlineError):
        read(with_pixel_data(annotations["seg"], change))


def test_a_selection_is_quoted_and_no_name_is(annotations, image, encode):
    place = read_ct(encode(image)).place
    with pytest.raises(AnnotationError, match="expected 'other' among them") as caught:
        read_annotation(annotations["rtstruct"], [place], select="other")
    assert "lesion" not in str(caught.value).split("expected")[0]
