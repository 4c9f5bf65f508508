"""Files that deviate from the standard and have one meaning are read by it, and say so."""

from io import BytesIO
from pathlib import Path
from struct import pack

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.datadict import dictionary_VR
from pydicom.encaps import encapsulate, get_frame
from pydicom.tag import Tag
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    MRImageStorage,
)

from lesion.ct import AIR_HU
from lesion.errors import (
    NotCTError,
    PixelFormatError,
    RescaleError,
    TransferSyntaxError,
    UnknownFormatError,
    UnreadableImageError,
)
from lesion.image.dicom import read_ct
from lesion.image.formats import sniff

EXAMPLE = Path(__file__).parents[3] / "examples" / "slice.dcm"
HU = np.random.default_rng(11).integers(-1024, 1000, (48, 56)).astype(float)
SIGNED_HU = np.random.default_rng(12).integers(-1000, 1000, (48, 56))


def codes(ct):
    return [str(warning.code) for warning in ct.warnings]


def written(keyword, vr, value):
    """An element of Explicit VR Little Endian."""
    tag = Tag(keyword)
    long = vr in {"OB", "OW", "SQ", "UN", "UT"}
    length = pack("<HL", 0, len(value)) if long else pack("<H", len(value))
    return pack("<HH", tag.group, tag.element) + vr.encode() + length + value


def rewritten(data, keyword, vr, value):
    """A file of which one element is written otherwise."""
    tag = Tag(keyword)
    start = pack("<HH", tag.group, tag.element) + dictionary_VR(tag).split(" or ")[0].encode()
    before, found, after = data.partition(start)
    assert found
    size = int.from_bytes(after[:2], "little")
    return before + written(keyword, vr, value) + after[2 + size :]


# ------------------------------------------------------------------ the file's beginning


def bare(data):
    """The data set of a Part 10 file."""
    return data[144 + int.from_bytes(data[140:144], "little") :]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("cut", "code"),
    [
        (lambda data: data[128:], "no-preamble"),
        (lambda data: data[132:], "no-preamble"),
        (bare, "no-file-meta"),
        (lambda data: b"DICM" + bare(data), "no-file-meta"),
        (lambda data: bytes(128) + b"DICM" + bare(data), "no-file-meta"),
    ],
    ids=["from-DICM", "from-file-meta", "data-set", "DICM-data-set", "preamble-data-set"],
)
def test_a_file_without_its_beginning(make_ct, encode, syntax, cut, code):
    data = cut(encode(make_ct(HU), syntax))
    ct = read_ct(data)
    np.testing.assert_array_equal(ct.hu, HU)
    assert codes(ct) == [code]
    assert sniff(data) == "dicom"


def test_a_data_set_with_what_may_stand_before_its_sop_class(make_ct, encode):
    image = make_ct(HU, SpecificCharacterSet="ISO_IR 100", InstanceCreationDate="20200101")
    assert codes(read_ct(bare(encode(image, ImplicitVRLittleEndian)))) == ["no-file-meta"]
    with_length = written("00080000", "UL", pack("<L", 0)) + bare(encode(image))
    assert codes(read_ct(with_length)) == ["no-file-meta"]


def test_a_data_set_is_refused_for_what_it_is(make_ct, encode):
    with pytest.raises(NotCTError):
        read_ct(bare(encode(make_ct(HU, SOPClassUID=MRImageStorage))))


@pytest.mark.parametrize(
    "data",
    [
        b"DICM" + bytes(500),
        b"\2\0\0\0" + bytes(500),
        b"\x08\0\5\0" + bytes(500),
        b"\x08\0\x16\0UI\x1a\x001.2.3.4.5.6.7.8.9" + bytes(500),
        b"\x08\0\x18\0UI\x1a\x001.2.840.10008.5.1.4.1.1.2" + bytes(500),
        b"\x08\0\x05\0CS\x04\0ABCD\x08\0\x05\0CS\x04\0ABCD" * 20,
        b"\x08\0\x16\0" + pack("<L", 0xFFFFFFFF) + bytes(500),
        b"\x08\0\x16\0",
    ],
    ids=range(8),
)
def test_junk_is_no_data_set(data):
    with pytest.raises(UnknownFormatError):
        sniff(data)
    with pytest.raises(UnknownFormatError):
        read_ct(data)


def test_a_preamble_with_neither_meta_nor_data_set_has_no_syntax(make_ct, encode):
    with pytest.raises(TransferSyntaxError):
        read_ct(bytes(128) + b"DICM" + bytes(500))


# ------------------------------------------------------------------ value representations


@pytest.mark.parametrize(
    ("keyword", "vr", "value"),
    [
        ("BitsStored", "DS", b"12"),
        ("BitsStored", "IS", b"12"),
        ("BitsStored", "FL", pack("<f", 12)),
        ("BitsStored", "FD", pack("<d", 12)),
        ("BitsStored", "LO", b"12"),
        ("BitsAllocated", "DS", b"16"),
        ("HighBit", "FD", pack("<d", 11)),
        ("PixelRepresentation", "DS", b"0 "),
        ("Rows", "FD", pack("<d", 48)),
        ("Columns", "DS", b"56"),
        ("SamplesPerPixel", "UL", pack("<L", 1)),
        ("PixelSpacing", "FD", pack("<dd", 0.8, 0.7)),
        ("RescaleSlope", "FD", pack("<d", 1)),
        ("RescaleIntercept", "IS", b"-1024 "),
        ("Modality", "SH", b"CT"),
        ("Modality", "PN", b"CT"),
    ],
)
def test_a_value_under_another_vr_of_its_kind(make_ct, encode, keyword, vr, value):
    ct = read_ct(rewritten(encode(make_ct(HU)), keyword, vr, value))
    np.testing.assert_array_equal(ct.hu, HU)
    assert ct.spacing_mm == (0.8, 0.7)
    assert codes(ct) == ["value-representation"]


def test_padding_under_another_vr(make_ct, encode):
    hu = np.where(HU > 900, -1000, HU)
    data = encode(make_ct(hu, PixelPaddingValue=24))
    ct = read_ct(rewritten(data, "PixelPaddingValue", "DS", b"24"))
    np.testing.assert_array_equal(ct.padding, hu == -1000)
    assert (ct.hu[ct.padding] == AIR_HU).all()


@pytest.mark.parametrize("vr", ["SQ", "OB", "OW", "AT", "ZZ"])
@pytest.mark.parametrize(
    "keyword", ["Modality", "ImageType", "BitsStored", "PixelSpacing", "RescaleType", "SOPClassUID"]
)
def test_a_value_of_another_kind_is_refused_with_both_vrs(make_ct, encode, keyword, vr):
    data = rewritten(encode(make_ct(HU)), keyword, vr, b"Doe^Jane")
    with pytest.raises(UnreadableImageError, match=f"found VR {vr}, expected") as caught:
        read_ct(data)
    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize("value", [b"12.5", b"1e99", b"nan ", b"Doe^Jane", b"12\\12 ", b""])
@pytest.mark.parametrize("vr", ["DS", "LO"])
@pytest.mark.parametrize("keyword", ["BitsStored", "HighBit", "Rows", "PixelRepresentation"])
def test_a_number_that_is_not_whole_is_refused(make_ct, encode, keyword, vr, value):
    with pytest.raises(PixelFormatError) as caught:
        read_ct(rewritten(encode(make_ct(HU)), keyword, vr, value))
    assert "Doe" not in str(caught.value)


# ------------------------------------------------------------------ the length of Pixel Data


def with_pixel_data(data, pixels):
    """A file with other Pixel Data, of an odd length too, which pydicom would pad."""
    at = data.rindex(b"\xe0\x7f\x10\0OW\0\0") + 8
    return data[:at] + pack("<L", len(pixels)) + pixels


@pytest.mark.parametrize("excess", [1, 2, 4, 1000])
def test_pixel_data_longer_than_the_pixels(make_ct, encode, excess):
    image = make_ct(HU)
    ct = read_ct(with_pixel_data(encode(image), image.PixelData + b"\x7f" * excess))
    np.testing.assert_array_equal(ct.hu, HU)
    assert codes(ct) == ["excess-pixel-data"]


@pytest.mark.parametrize("change", [-2, -1, HU.size * 2, HU.size * 4])
def test_pixel_data_too_short_or_a_frame_too_long(make_ct, encode, change):
    image = make_ct(HU)
    pixels = (image.PixelData + bytes(HU.size * 4))[: HU.size * 2 + change]
    data = with_pixel_data(encode(image), pixels)
    with pytest.raises(UnreadableImageError, match="expected 5376, or up to 5375 more"):
        read_ct(data)


def test_encapsulated_pixel_data_is_not_read_as_native(make_ct, encode):
    """16 bytes longer, and its pixels stand 16 bytes on."""
    image = make_ct(HU)
    image.PixelData = encapsulate([image.PixelData])
    with pytest.raises(UnreadableImageError, match="encapsulated"):
        read_ct(encode(image))


# ------------------------------------------------------------------ codestreams


@pytest.fixture
def recoded(make_ct, encode):
    """A slice compressed as it is, of which the dataset then says something else."""

    def build(hu, syntax, before=None, **after):
        image = make_ct(hu, **(before or {}))
        encode(image)  # which gives it its file meta information
        image.compress(syntax)
        for keyword, value in after.items():
            setattr(image, keyword, value)
        return image, encode(image, syntax)

    return build


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless], ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("bits", [12, 14])
def test_a_codestream_of_fewer_bits_than_bits_stored(recoded, syntax, bits):
    _, data = recoded(
        HU,
        syntax,
        {"BitsStored": bits, "HighBit": bits - 1},
        BitsStored=16,
        HighBit=15,
    )
    ct = read_ct(data)
    np.testing.assert_array_equal(ct.hu, HU)
    assert codes(ct) == ["codestream-precision"]


SIGNED = {
    "BitsStored": 12,
    "HighBit": 11,
    "PixelRepresentation": 1,
    "RescaleIntercept": 0,
    "PixelData": SIGNED_HU.astype("<i2").tobytes(),
}


def test_jpeg_2000_codes_its_sign(recoded):
    _, data = recoded(HU, JPEG2000Lossless, SIGNED, BitsStored=16, HighBit=15)
    np.testing.assert_array_equal(read_ct(data).hu, SIGNED_HU)
    _, data = recoded(HU, JPEG2000Lossless, SIGNED, PixelRepresentation=0)
    ct = read_ct(data)
    np.testing.assert_array_equal(ct.hu, SIGNED_HU)
    assert codes(ct) == ["codestream-precision"]


def test_an_unsigned_jpeg_2000_codestream_in_a_signed_dataset(recoded):
    _, data = recoded(HU, JPEG2000Lossless, PixelRepresentation=1, BitsStored=16, HighBit=15)
    ct = read_ct(data)
    np.testing.assert_array_equal(ct.hu, HU)
    assert codes(ct) == ["codestream-precision"]


def test_padding_follows_the_codestream(recoded, encode):
    stored = np.where(HU > 900, -1000, SIGNED_HU).astype("<i2")
    before = {
        **SIGNED,
        "PixelData": stored.tobytes(),
    }
    image, _ = recoded(HU, JPEG2000Lossless, before, PixelRepresentation=0)
    image.add_new("PixelPaddingValue", "US", 64536)
    found = read_ct(encode(image, JPEG2000Lossless))
    assert (found.padding == (stored == -1000)).all()


def test_a_sign_by_which_air_would_be_metal_is_refused():
    """A real file: signed words, coded as numbers without a sign."""
    image = dcmread(get_testdata_file("J2K_pixelrep_mismatch.dcm"))
    file = BytesIO()
    image.save_as(file, enforce_file_format=True)
    with pytest.raises(UnreadableImageError, match="another sign"):
        read_ct(file.getvalue())


def test_jpeg_ls_of_fewer_bits_has_no_single_meaning_as_signed(recoded):
    _, data = recoded(HU, JPEGLSLossless, PixelRepresentation=1, BitsStored=16, HighBit=15)
    with pytest.raises(UnreadableImageError, match=r"12 bits, expected .* of signed values"):
        read_ct(data)


def box(kind, content, *, size=None):
    if size == "long":
        return pack(">L4sQ", 1, kind, 16 + len(content)) + content
    return pack(">L4s", 8 + len(content) if size is None else size, kind) + content


SIGNATURE = box(b"jP  ", b"\r\n\x87\n")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda code: box(b"jp2c", code),
        lambda code: box(b"jp2c", code, size=0),
        lambda code: box(b"jp2c", code, size="long"),
        lambda code: (
            box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", bytes(30)) + box(b"jp2c", code)
        ),
        lambda code: box(b"jp2c", code) + box(b"uuid", bytes(20)),
    ],
)
def test_a_codestream_in_a_jp2_file(recoded, encode, wrap):
    image, _ = recoded(HU, JPEG2000Lossless)
    code = get_frame(image.PixelData, 0).rstrip(b"\0")
    image.PixelData = encapsulate([SIGNATURE + wrap(code)])
    ct = read_ct(encode(image, JPEG2000Lossless))
    np.testing.assert_array_equal(ct.hu, HU)
    assert codes(ct) == ["jp2-header"]


@pytest.mark.parametrize(
    "boxes",
    [
        b"",
        box(b"ftyp", bytes(8)) * 100,
        box(b"free", b"", size=7),
        box(b"free", bytes(8), size=2**31),
        box(b"free", bytes(20), size=0),
        pack(">L4sQ", 1, b"jp2c", 2**63),
        pack(">L4sQ", 1, b"jp2c", 3),
    ],
    ids=range(7),
)
def test_boxes_without_a_codestream_are_refused_unread(recoded, encode, boxes):
    def never(frame, layout):
        raise AssertionError("a decoder was asked")

    image, _ = recoded(HU, JPEG2000Lossless)
    image.PixelData = encapsulate([SIGNATURE + boxes])
    with pytest.raises(UnreadableImageError, match="jp2c"):
        read_ct(encode(image, JPEG2000Lossless), decode=never)


# ------------------------------------------------------------------ Rescale Type US


def test_rescale_type_us_of_hounsfield_units(make_ct, encode):
    ct = read_ct(encode(make_ct(HU, RescaleType="US")))
    np.testing.assert_array_equal(ct.hu, HU)
    assert codes(ct) == ["rescale-type-us"]


@pytest.mark.parametrize(
    ("hu", "attributes", "fits"),
    [
        (np.full((40, 50), 60.0), {}, True),  # a crop of the liver: the intercept says enough
        (SIGNED_HU, {}, True),
        (np.abs(SIGNED_HU), {}, False),  # no air: a raw count could look so
        (np.where(SIGNED_HU > 900, 9000, SIGNED_HU), {}, False),
        (SIGNED_HU, {"RescaleSlope": "0.5"}, False),
        (SIGNED_HU, {"RescaleSlope": "2"}, False),
        (np.where(SIGNED_HU > 0, -3024, SIGNED_HU), {"PixelPaddingValue": -3024}, True),
        (np.where(SIGNED_HU > 0, -3024, SIGNED_HU), {}, False),
    ],
    ids=range(8),
)
def test_rescale_type_us_is_taken_for_values_that_can_only_be_hu(
    make_ct, encode, hu, attributes, fits
):
    liver = (hu == 60).all()
    stored = hu + 1024 if liver else hu
    image = make_ct(
        hu,
        RescaleType="US",
        **{
            "RescaleIntercept": -1024 if liver else 0,
            "PixelRepresentation": 1,
            "BitsStored": 16,
            "HighBit": 15,
            "PixelData": stored.astype("<i2").tobytes(),
            **attributes,
        },
    )
    if fits:
        assert "rescale-type-us" in codes(read_ct(encode(image)))
    else:
        with pytest.raises(RescaleError, match="found 'US'"):
            read_ct(encode(image))


@pytest.mark.parametrize("name", ["abdomen-ct-dicom", "liver-seg/01.dcm"])
def test_rescale_type_us_on_real_slices(shared_data, encode, name):
    path = shared_data(name)
    path = min(path.iterdir()) if path.is_dir() else path
    image = dcmread(path)
    expected = read_ct(path.read_bytes())
    image.RescaleType = "US"
    found = read_ct(
        encode(
            image, image.file_meta.TransferSyntaxUID, media_sop_class="1.2.840.10008.5.1.4.1.1.2"
        )
    )
    np.testing.assert_array_equal(found.hu, expected.hu)
    assert codes(found) == ["rescale-type-us"]


def test_the_example_has_nothing_to_say():
    assert not read_ct(EXAMPLE.read_bytes()).warnings
