"""A CT image is read to the Hounsfield unit, or refused for what is wrong with it."""

import logging
import subprocess
import sys
from pathlib import Path
from struct import pack

import numpy as np
import pytest
from pydicom.datadict import dictionary_VR
from pydicom.tag import Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    MRImageStorage,
)

from lesion.ct import AIR_HU
from lesion.errors import (
    LocalizerError,
    MultiFrameError,
    NotCTError,
    PixelFormatError,
    RescaleError,
    SpacingError,
    TooLargeError,
    UnreadableImageError,
)
from lesion.image.dicom import read_ct

HU = np.linspace(-1024, 3071, 40 * 50).round().reshape(40, 50)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        DeflatedExplicitVRLittleEndian,
        ExplicitVRBigEndian,
    ],
)
def test_reads_hounsfield_units_as_written(make_ct, encode, syntax):
    image = make_ct(HU)
    if syntax == ExplicitVRBigEndian:
        image.PixelData = np.frombuffer(image.PixelData, "<u2").astype(">u2").tobytes()

    ct = read_ct(encode(image, syntax))

    np.testing.assert_array_equal(ct.hu, HU)
    assert ct.hu.dtype == np.float32
    assert ct.spacing_mm == (0.8, 0.7)
    assert ct.padding is None
    assert ct.identity.sop_instance_uid == image.SOPInstanceUID
    assert ct.identity.study_instance_uid == image.StudyInstanceUID
    assert ct.plane.position_mm == (-200.0, -180.0, 50.0)


def test_the_built_image_is_a_valid_ct(make_ct, encode, tmp_path):
    """What the other tests break must have been whole."""
    path = tmp_path / "ct.dcm"
    path.write_bytes(encode(make_ct()))
    dciodvfy = Path(sys.executable).with_name("dciodvfy")
    found = subprocess.run([dciodvfy, path], capture_output=True, text=True, check=False)
    assert "CTImage" in found.stderr
    assert "Error" not in found.stderr


def test_signed_values_slope_and_intercept(make_ct, encode):
    stored = np.array([[-2000, -1], [0, 30000]], "<i2")
    image = make_ct(
        np.zeros((2, 2)),
        PixelRepresentation=1,
        BitsStored=16,
        HighBit=15,
        RescaleSlope="0.5",
        RescaleIntercept="-10.25",
        PixelData=stored.tobytes(),
    )
    np.testing.assert_array_equal(read_ct(encode(image)).hu, stored * 0.5 - 10.25)


@pytest.mark.parametrize(
    ("attributes", "written", "instead", "error"),
    [
        ({"PixelSpacing": [0.805, 0.705]}, rb"0.805\0.705", rb"0.8_5\0.7_5", SpacingError),
        ({"RescaleSlope": "1.001"}, b"1.001", b"1.0_1", RescaleError),
        ({"RescaleIntercept": "-1024.25"}, b"-1024.25", b"-1_024.0", RescaleError),
    ],
)
def test_a_number_that_is_no_decimal_string_is_not_read_as_one(
    make_ct, encode, attributes, written, instead, error
):
    data = encode(make_ct(HU, **attributes))
    assert data.count(written) == 1
    read_ct(data)
    with pytest.raises(error):
        read_ct(data.replace(written, instead))


def test_bits_above_bits_stored_are_no_part_of_a_value(make_ct, encode):
    stored = np.array([[0xF001, 0x0FFF], [0xA800, 0x07FF]], "<u2")  # an overlay in the high bits
    unsigned = make_ct(np.zeros((2, 2)), PixelData=stored.tobytes(), RescaleIntercept=0)
    signed = make_ct(
        np.zeros((2, 2)), PixelData=stored.tobytes(), RescaleIntercept=0, PixelRepresentation=1
    )
    assert read_ct(encode(unsigned)).hu.tolist() == [[1, 4095], [2048, 2047]]
    assert read_ct(encode(signed)).hu.tolist() == [[1, -1], [-2048, 2047]]


def test_monochrome1_is_not_inverted(make_ct, encode):
    image = make_ct(HU, PhotometricInterpretation="MONOCHROME1")
    np.testing.assert_array_equal(read_ct(encode(image)).hu, HU)


@pytest.mark.parametrize(
    ("padding", "limit", "expected"),
    [
        (-2000, None, [True, False, False, False]),
        (-2000, -1900, [True, True, False, False]),
        (-1900, -2000, [True, True, False, False]),
    ],
)
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_padding_becomes_air_and_is_marked(make_ct, encode, padding, limit, expected, syntax):
    image = make_ct(
        np.zeros((1, 4)),
        PixelRepresentation=1,
        BitsStored=16,
        HighBit=15,
        PixelData=np.array([-2000, -1950, 0, 1024], "<i2").tobytes(),
        PixelPaddingValue=padding,
    )
    if limit is not None:
        image.PixelPaddingRangeLimit = limit

    ct = read_ct(encode(image, syntax))

    assert ct.padding.tolist() == [expected]
    assert (ct.hu[ct.padding] == AIR_HU).all()
    assert ct.hu[0, 3] == 0


def test_padding_written_with_the_wrong_sign_is_the_same_bits(make_ct, encode):
    image = make_ct(
        np.zeros((1, 2)),
        PixelRepresentation=1,
        BitsStored=16,
        HighBit=15,
        PixelData=np.array([-2000, 0], "<i2").tobytes(),
    )
    image.add_new(0x00280120, "US", 63536)
    assert read_ct(encode(image)).padding.tolist() == [[True, False]]


def test_padding_that_needs_more_than_bits_stored(make_ct, encode):
    """63536 (-2000) in words of which 12 bits are stored: masked, it would read as 1072 HU."""
    words = np.array([[63536, 2096]], "<u2")
    ct = read_ct(
        encode(make_ct(np.zeros((1, 2)), PixelPaddingValue=63536, PixelData=words.tobytes()))
    )
    assert ct.hu.tolist() == [[AIR_HU, 1072]]


def test_padding_that_no_pixel_has_is_no_padding(make_ct, encode):
    assert read_ct(encode(make_ct(np.zeros((4, 4)), PixelPaddingValue=4095))).padding is None


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        (NotCTError, {"Modality": "MR"}),
        (NotCTError, {"Modality": None}),
        (NotCTError, {"Modality": "MR", "SOPClassUID": MRImageStorage}),
        (NotCTError, {"SOPClassUID": MRImageStorage}),
        (NotCTError, {"SOPClassUID": "1.2.3"}),
        (MultiFrameError, {"SOPClassUID": EnhancedCTImageStorage}),
        (MultiFrameError, {"NumberOfFrames": 2}),
        (MultiFrameError, {"NumberOfFrames": 20000}),
        (LocalizerError, {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}),
        (RescaleError, {"RescaleSlope": None}),
        (RescaleError, {"RescaleIntercept": None}),
        (RescaleError, {"RescaleSlope": ""}),
        (RescaleError, {"RescaleIntercept": ""}),
        (RescaleError, {"RescaleSlope": "0"}),
        (RescaleError, {"RescaleSlope": "-1"}),
        (RescaleError, {"RescaleSlope": [1, 1]}),
        (RescaleError, {"RescaleIntercept": "1e30"}),
        (RescaleError, {"RescaleType": "HU_MOD"}),
        (SpacingError, {"PixelSpacing": None}),
        (SpacingError, {"PixelSpacing": ""}),
        (SpacingError, {"PixelSpacing": [0.8]}),
        (SpacingError, {"PixelSpacing": [0, 0.8]}),
        (SpacingError, {"PixelSpacing": [-0.8, 0.8]}),
        (SpacingError, {"PixelSpacing": [1e-300, 0.8]}),
        (SpacingError, {"PixelSpacing": [0.8, 800]}),
        (SpacingError, {"PixelSpacing": [0.5, 9]}),
        (PixelFormatError, {"PhotometricInterpretation": "RGB"}),
        (PixelFormatError, {"PhotometricInterpretation": None}),
        (PixelFormatError, {"SamplesPerPixel": 3}),
        (PixelFormatError, {"SamplesPerPixel": None}),
        (PixelFormatError, {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7}),
        (PixelFormatError, {"BitsAllocated": 32}),
        (PixelFormatError, {"BitsStored": 0, "HighBit": 0}),
        (PixelFormatError, {"BitsStored": 17, "HighBit": 16}),
        (PixelFormatError, {"HighBit": 15}),
        (PixelFormatError, {"PixelRepresentation": 2}),
        (PixelFormatError, {"Rows": 0}),
        (PixelFormatError, {"Rows": None}),
        (TooLargeError, {"Rows": 30000, "Columns": 30000}),
        (UnreadableImageError, {"PixelData": None}),
        (UnreadableImageError, {"PixelData": b"\0" * 3998}),
        (UnreadableImageError, {"PixelData": b"\0" * 8000}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "-".join(value),
)
def test_refuses(make_ct, encode, error, attributes):
    with pytest.raises(error) as caught:
        read_ct(encode(make_ct(**attributes)))
    assert type(caught.value) is error
    assert "found" in str(caught.value)
    assert "expected" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "keyword", "raw"),
    [
        (SpacingError, "PixelSpacing", b"0,75"),
        (SpacingError, "PixelSpacing", b"0,75\\0,75 "),
        (SpacingError, "PixelSpacing", b"NaN\\NaN "),
        (SpacingError, "PixelSpacing", b"inf\\inf "),
        (RescaleError, "RescaleSlope", b"one "),
        (RescaleError, "RescaleSlope", b"NaN "),
        (RescaleError, "RescaleIntercept", b"\xff\xfe"),
        (MultiFrameError, "NumberOfFrames", b"1.5 "),
        (PixelFormatError, "Rows", b"\1\0\2\0"),
        (PixelFormatError, "PixelRepresentation", b"\0"),
    ],
)
def test_refuses_values_that_no_writer_should_write(make_ct, encode, error, keyword, raw):
    tag = Tag(keyword)
    element = pack("<HH2sH", tag.group, tag.element, dictionary_VR(tag).encode(), len(raw)) + raw
    before, pixel_data, after = encode(make_ct()).rpartition(b"\xe0\x7f\x10\x00OW")
    with pytest.raises(error):
        read_ct(before + element + pixel_data + after)


def test_sop_class_of_the_file_meta_where_the_dataset_has_none(make_ct, encode):
    image = make_ct(SOPClassUID="", SOPInstanceUID="", StudyInstanceUID="", SeriesInstanceUID="")
    ct = read_ct(encode(image, media_sop_class="1.2.840.10008.5.1.4.1.1.2"))
    assert ct.identity.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
    assert ct.identity.sop_instance_uid == ""
    with pytest.raises(NotCTError):
        read_ct(encode(image, media_sop_class=MRImageStorage))


def test_a_uid_that_is_none_is_left_out(make_ct, encode, recwarn):
    data = encode(make_ct(SOPInstanceUID="1.2.3.4"))
    ct = read_ct(data.replace(b"1.2.3.4", b"../etc/"))
    assert ct.identity.sop_instance_uid == ""


def test_a_slice_without_a_plane_is_read(make_ct, encode):
    assert read_ct(encode(make_ct(ImagePositionPatient=None))).plane is None


def test_no_patient_data_in_errors_logs_or_warnings(make_ct, encode, caplog, recwarn):
    """pydicom warns of values, and quotes them: not here."""
    data = encode(make_ct()).replace(b"19000101", b"SECRET!!")
    data = data.replace(b"HU", b"SE")  # Rescale Type
    with caplog.at_level(logging.DEBUG), pytest.raises(RescaleError) as caught:
        read_ct(data)
    assert "SECRET" not in str(caught.value) + caplog.text
    assert not recwarn.list
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("name", "lowest", "padded"),
    [
        ("liver-seg/01.dcm", AIR_HU, True),
        ("rtstruct/ct_1.dcm", AIR_HU, True),
        ("seg-sr/ct_image.dcm", -896, False),
    ],
)
def test_reads_real_native_slices(shared_data, name, lowest, padded):
    ct = read_ct(shared_data(name).read_bytes())
    assert ct.hu[ct.padding if padded else ...].min() == lowest
    assert (ct.padding is not None) == padded
    assert ct.identity.sop_instance_uid


def test_reads_a_real_de_identified_jpeg_2000_slice(shared_data):
    folder = shared_data("abdomen-ct-dicom")
    ct = read_ct(min(folder.iterdir()).read_bytes())
    assert ct.hu.shape == (512, 512)
    assert ct.spacing_mm == (0.9765625, 0.9765625)
    assert ct.identity.sop_class_uid == "1.2.840.10008.5.1.4.1.1.2"
    assert ct.identity.sop_instance_uid == ct.identity.study_instance_uid == ""
    assert ct.hu.min() == -1024


@pytest.mark.parametrize(
    "name", ["liver-seg/liver.dcm", "liver-seg/tid1500-sr.dcm", "rtstruct/rt.dcm"]
)
def test_refuses_real_objects_that_are_no_images(shared_data, name):
    with pytest.raises(NotCTError, match="expected one of CT Image Storage"):
        read_ct(shared_data(name).read_bytes())
