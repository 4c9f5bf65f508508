"""Compressed frames decode to what was compressed, or are refused before they cost anything."""

import struct

import gdcm
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from lesion.errors import TooLargeError, TransferSyntaxError, UnreadableImageError
from lesion.image.dicom import read_ct

HU = np.random.default_rng(7).integers(-1024, 3071, (48, 56)).astype(float)
SIZ = struct.Struct(">HHHH8IHBBB")


@pytest.fixture
def compress(make_ct, encode, tmp_path):
    """Build a compressed CT image with pydicom's encoders, or GDCM's for lossless JPEG."""

    def build(syntax, hu=HU, **attributes):
        image = make_ct(hu, **attributes)
        plain_bytes = encode(image)
        if syntax not in (JPEGLossless, JPEGLosslessSV1):
            options = {"j2k_cr": [2]} if syntax == JPEG2000 else {}
            if syntax == JPEGLSNearLossless:
                options = {"jls_error": 3}
            image.compress(syntax, **options)
            return image
        plain, packed = tmp_path / "plain.dcm", tmp_path / "packed.dcm"
        plain.write_bytes(plain_bytes)
        reader, change, writer = (
            gdcm.ImageReader(),
            gdcm.ImageChangeTransferSyntax(),
            gdcm.ImageWriter(),
        )
        reader.SetFileName(str(plain))
        assert reader.Read()
        kind = "JPEGLosslessProcess14" + ("_1" if syntax == JPEGLosslessSV1 else "")
        change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, kind)))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer.SetFileName(str(packed))
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return dcmread(packed)

    return build


LOSSLESS = [JPEG2000Lossless, JPEGLSLossless, RLELossless, JPEGLossless, JPEGLosslessSV1]


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
def test_lossless_syntaxes_give_back_every_value(compress, encode, syntax, signed):
    attributes = {}
    if signed:
        stored = (HU // 2).astype("<i2")
        attributes = {
            "PixelRepresentation": 1,
            "RescaleIntercept": 0,
            "PixelData": stored.tobytes(),
        }
    image = compress(syntax, **attributes)

    ct = read_ct(encode(image, syntax))

    np.testing.assert_array_equal(ct.hu, HU // 2 if signed else HU)


@pytest.mark.parametrize(("syntax", "error_hu"), [(JPEG2000, 700), (JPEGLSNearLossless, 3)])
def test_lossy_syntaxes_come_close(compress, encode, syntax, error_hu):
    ct = read_ct(encode(compress(syntax), syntax))
    worst = np.abs(ct.hu - HU).max()
    assert 0 < worst <= error_hu


def test_a_frame_in_several_fragments_is_joined(compress, encode):
    image = compress(JPEG2000Lossless)
    image.PixelData = encapsulate([get_frame(image.PixelData, 0)], fragments_per_frame=3)
    np.testing.assert_array_equal(read_ct(encode(image, JPEG2000Lossless)).hu, HU)


@pytest.mark.parametrize("syntax", [JPEGExtended12Bit, JPEGBaseline8Bit, "1.2.3.4", ""])
def test_other_syntaxes_are_refused_with_the_list_of_those_that_are_read(make_ct, encode, syntax):
    data = encode(make_ct())
    uid = b"1.2.840.10008.1.2.1\0"
    at = data.index(uid)
    other = syntax.encode().ljust(len(syntax) + len(syntax) % 2, b"\0")
    data = data[: at - 2] + struct.pack("<H", len(other)) + other + data[at + len(uid) :]
    with pytest.raises(TransferSyntaxError, match=r"JPEG-LS Lossless.*RLE Lossless"):
        read_ct(data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (4, 30000),  # columns
        (5, 30000),  # rows
        (12, 3),  # components
        (12, 16384),
        (13, 37),  # 38 bits
        (14, 2),  # subsampled
        (8, 0),  # no tile
    ],
)
def test_a_jpeg_2000_header_that_disagrees_is_refused_unread(compress, encode, field, value):
    image = compress(JPEG2000Lossless)
    frame = get_frame(image.PixelData, 0)
    fields = list(SIZ.unpack_from(frame))
    fields[field] = value
    image.PixelData = encapsulate([SIZ.pack(*fields) + frame[SIZ.size :]])
    with pytest.raises(UnreadableImageError):
        read_ct(encode(image, JPEG2000Lossless), decode=_never)


def _never(frame, layout):
    raise AssertionError("a decoder was asked")


@pytest.mark.parametrize(("highest", "fits"), [(4095, True), (4096, False)])
def test_a_jpeg_2000_codestream_may_have_more_bits_but_not_use_them(
    compress, encode, highest, fits
):
    image = compress(
        JPEG2000Lossless,
        BitsStored=16,
        HighBit=15,
        PixelData=np.full(HU.shape, highest, "<u2").tobytes(),
    )
    image.BitsStored, image.HighBit = 12, 11
    data = encode(image, JPEG2000Lossless)
    if fits:
        assert (read_ct(data).hu == highest - 1024).all()
    else:
        with pytest.raises(UnreadableImageError, match="more than 12 bits"):
            read_ct(data)


@pytest.mark.parametrize(
    ("syntax", "marker"),
    [(JPEGLossless, b"\xff\xc3"), (JPEGLosslessSV1, b"\xff\xc3"), (JPEGLSLossless, b"\xff\xf7")],
)
def test_a_jpeg_codestream_of_fewer_bits_than_bits_stored(compress, encode, syntax, marker):
    """It codes no sign: its values have one meaning where they are said to have none."""
    image = compress(syntax)
    frame = bytearray(get_frame(image.PixelData, 0))
    frame[frame.index(marker) + 4] = 12
    image.PixelData = encapsulate([bytes(frame)])
    image.BitsStored, image.HighBit = 16, 15
    asked = []

    def decode(frame, layout):
        asked.append((layout.bits_stored, layout.signed))
        return np.full(HU.shape, 1024, np.uint16)

    ct = read_ct(encode(image, syntax), decode=decode)
    assert asked == [(12, False)]
    assert [str(warning.code) for warning in ct.warnings] == ["codestream-precision"]
    image.PixelRepresentation = 1
    with pytest.raises(UnreadableImageError, match="of signed values"):
        read_ct(encode(image, syntax), decode=decode)
    assert len(asked) == 1


def test_jpeg_2000_of_many_tiles_is_refused_unread(compress, encode):
    """A decoder allocates tables for each tile before it decodes any: 450 MB for 65,535 tiles."""
    image = compress(JPEG2000Lossless)
    frame = get_frame(image.PixelData, 0)
    fields = list(SIZ.unpack_from(frame))
    fields[8] = fields[9] = 1
    image.PixelData = encapsulate([SIZ.pack(*fields) + frame[SIZ.size :]])
    with pytest.raises(TooLargeError, match="2688 tiles"):
        read_ct(encode(image, JPEG2000Lossless), decode=_never)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEGLosslessSV1], ids=lambda uid: uid.keyword)
@pytest.mark.parametrize("rows", [0, 47, 65535])
def test_a_jpeg_header_that_disagrees_is_refused_unread(compress, encode, syntax, rows):
    image = compress(syntax)
    frame = bytearray(get_frame(image.PixelData, 0))
    at = frame.index(b"\xff\xf7" if syntax == JPEGLSLossless else b"\xff\xc3")
    frame[at + 5 : at + 7] = rows.to_bytes(2, "big")
    image.PixelData = encapsulate([bytes(frame)])
    with pytest.raises(UnreadableImageError, match=f"found {rows}x56"):
        read_ct(encode(image, syntax), decode=_never)


@pytest.mark.parametrize(
    "frame",
    [b"\xff\xd8", b"\xff\xd8" + b"\xff\xe0\x00\x02" * 50, b"\xff\x4f\xff\x51", b"\0" * 100],
)
@pytest.mark.parametrize("syntax", [JPEG2000, JPEGLSLossless, JPEGLossless])
def test_a_codestream_without_a_header_is_refused_unread(make_ct, encode, syntax, frame):
    image = make_ct(PixelData=encapsulate([frame]))
    image["PixelData"].is_undefined_length = True
    with pytest.raises(UnreadableImageError):
        read_ct(encode(image, syntax), decode=_never)


@pytest.mark.parametrize("syntax", LOSSLESS, ids=lambda uid: uid.keyword)
def test_a_truncated_codestream_is_refused(compress, encode, syntax):
    image = compress(syntax)
    frame = get_frame(image.PixelData, 0)
    image.PixelData = encapsulate([frame[: len(frame) // 3]])
    with pytest.raises(UnreadableImageError):
        read_ct(encode(image, syntax))


def test_a_compressed_frame_much_longer_than_the_raw_one_is_refused_unread(make_ct, encode):
    image = make_ct(PixelData=encapsulate([b"\0" * 200_000]))
    image["PixelData"].is_undefined_length = True
    with pytest.raises(TooLargeError, match="expected at most 70536 for 40x50"):
        read_ct(encode(image, RLELossless), decode=_never)


def test_pixel_data_that_is_not_encapsulated_is_refused(make_ct, encode):
    data = encode(make_ct()).replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    with pytest.raises(UnreadableImageError):
        read_ct(data)
