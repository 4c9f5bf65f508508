"""PNG and NPY are read to the Hounsfield unit, or refused before their pixels are."""

import struct
import tracemalloc
import zlib
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from lesion.errors import (
    EmptyInputError,
    InputError,
    PixelFormatError,
    SpacingError,
    TooLargeError,
    UnknownFormatError,
    UnreadableImageError,
    UnreadableParameterError,
)
from lesion.image.raster import MAX_BYTES, read_mask, read_npy, read_png


def _png(array, mode=None, **options):
    file = BytesIO()
    image = Image.fromarray(array) if mode is None else Image.fromarray(array).convert(mode)
    image.save(file, "PNG", **options)
    return file.getvalue()


def _npy(array, *, version=None, **options):
    file = BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version=version, **options)
    return file.getvalue()


def _chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _header(columns, rows, depth=16, colour=0):
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, colour, 0, 0, 0))


PNG = b"\x89PNG\r\n\x1a\n"
PIXELS = _chunk(b"IDAT", zlib.compress(bytes(1000))) + _chunk(b"IEND", b"")
SMALL = np.array([[0, 1024, 4095], [2048, 1, 65535]], np.uint16)


@given(arrays(np.uint16, (5, 7)))
@settings(max_examples=25)
def test_sixteen_bit_png_holds_hu_plus_1024(stored):
    ct = read_png(_png(stored), spacing_mm=(0.7, 0.8))
    np.testing.assert_array_equal(ct.hu, stored.astype(float) - 1024)
    assert ct.hu.dtype == np.float32
    assert ct.spacing_mm == (0.7, 0.8)


def test_png_without_spacing_has_none():
    assert read_png(_png(SMALL)).spacing_mm is None


def test_eight_bit_png_spans_its_window():
    ct = read_png(_png(np.array([[0, 51, 255]], np.uint8)), window=(-160, 240))
    assert ct.hu.tolist() == [[-160, -80, 240]]


@pytest.mark.parametrize(
    ("data", "options", "error"),
    [
        (b"", {}, EmptyInputError),
        (b"GIF89a" + bytes(100), {}, UnknownFormatError),
        (PNG, {}, UnreadableImageError),
        (_png(SMALL.astype(np.uint8)), {}, PixelFormatError),
        (_png(SMALL), {"window": (0, 100)}, PixelFormatError),
        (_png(SMALL.astype(np.uint8), "RGB"), {}, PixelFormatError),
        (_png(SMALL.astype(np.uint8), "LA"), {}, PixelFormatError),
        (_png(SMALL.astype(np.uint8), "P"), {}, PixelFormatError),
        (_png(SMALL > 0), {}, PixelFormatError),
        (_png(SMALL.astype(np.uint8)), {"window": (100, 0)}, UnreadableParameterError),
        (_png(SMALL.astype(np.uint8)), {"window": (0, float("nan"))}, UnreadableParameterError),
        (_png(SMALL.astype(np.uint8)), {"window": (0, 1e30)}, UnreadableParameterError),
        (_png(SMALL), {"spacing_mm": (0.0, 0.8)}, SpacingError),
        (_png(SMALL), {"spacing_mm": (float("nan"), 0.8)}, SpacingError),
        (_png(SMALL), {"spacing_mm": (-1.0, 0.8)}, SpacingError),
        (PNG + _header(0, 5), {}, PixelFormatError),
        (PNG + _header(5, 5) + _chunk(b"IEND", b""), {}, UnreadableImageError),
        (PNG + _header(5, 5) + _chunk(b"IDAT", b"not deflated"), {}, UnreadableImageError),
        (PNG + _header(5, 5) + _header(5, 6) + PIXELS, {}, UnreadableImageError),
        (PNG + _header(5, 5) + _header(5, 5, 8, 2) + PIXELS, {}, UnreadableImageError),
        (PNG + _header(2049, 5), {}, TooLargeError),
        (PNG + _header(2**31 - 1, 2**31 - 1), {}, TooLargeError),
        (PNG + bytes(MAX_BYTES), {}, TooLargeError),
    ],
)
def test_refuses_png(data, options, error):
    with pytest.raises(error) as caught:
        read_png(data, **options)
    assert type(caught.value) is error


def test_a_png_cut_anywhere_is_refused():
    data = _png(np.random.default_rng(1).integers(0, 4096, (40, 40)).astype(np.uint16))
    for end in range(8, len(data) - 16, 61):
        with pytest.raises((UnreadableImageError, PixelFormatError)):
            read_png(data[:end])


@pytest.mark.parametrize(
    "bomb",
    [
        PNG + _header(64, 64) + _chunk(b"IDAT", zlib.compress(bytes(64 * 1024 * 1024))),
        PNG
        + _header(64, 64)
        + _chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 * 1024 * 1024)))
        + _chunk(b"IDAT", zlib.compress(bytes(64 * 129))),
        PNG + _header(30000, 30000) + _chunk(b"IDAT", zlib.compress(bytes(64 * 1024 * 1024))),
        PNG
        + _header(64, 64)
        + _header(9000, 9000)
        + _chunk(b"IDAT", zlib.compress(bytes(64 * 1024 * 1024))),
    ],
    ids=["pixels", "text", "size", "second-size"],
)
def test_a_png_bomb_takes_no_memory(bomb):
    tracemalloc.start()
    try:
        with suppress(TooLargeError, UnreadableImageError):
            assert (read_png(bomb).hu == -1024).all()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 * 1024 * 1024


@pytest.mark.parametrize(
    "dtype", ["<f4", ">f4", "<f8", "<f2", "<i2", ">i2", "<u2", "<i4", "<i8", "i1", "u1"]
)
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_any_real_dtype(dtype, order):
    hu = np.array([[0, 100, -20], [30, 4, 5]]) if "u" not in dtype else np.eye(3, 4) * 200
    ct = read_npy(_npy(np.array(hu, dtype=dtype, order=order)), spacing_mm=(1, 2))
    np.testing.assert_array_equal(ct.hu, hu)
    assert ct.hu.dtype == np.float32


def test_npy_of_format_2():
    assert read_npy(_npy(np.ones((3, 4)), version=(2, 0))).hu.shape == (3, 4)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyInputError),
        (b"PK\x03\x04" + bytes(100), UnknownFormatError),
        (_npy(np.ones((2, 3, 4))), PixelFormatError),
        (_npy(np.ones(5)), PixelFormatError),
        (_npy(np.ones((3, 4), complex)), PixelFormatError),
        (_npy(np.ones((3, 4), bool)), PixelFormatError),
        (_npy(np.array([["a"]])), PixelFormatError),
        (_npy(np.zeros((3, 4), "datetime64[s]")), PixelFormatError),
        (_npy(np.zeros((3, 4), [("x", "f4")])), PixelFormatError),
        (_npy(np.array([[{}]], dtype=object), allow_pickle=True), PixelFormatError),
        (_npy(np.array([[np.nan, 1]])), PixelFormatError),
        (_npy(np.array([[np.inf, 1]])), PixelFormatError),
        (_npy(np.array([[1e300, 1]])), PixelFormatError),
        (_npy(np.ones((0, 4))), PixelFormatError),
        (_npy(np.ones((3, 4)))[:-1], UnreadableImageError),
        (_npy(np.ones((3, 4))) + b"\0", UnreadableImageError),
        (_npy(np.ones((3, 4)))[:20], UnreadableImageError),
        (_npy(np.ones((3, 4))).replace(b"(3, 4)", b"(-3,4)"), PixelFormatError),
        (_npy(np.ones((3, 4))).replace(b"(3, 4)", b"(1e9,)"), UnreadableImageError),
        (_npy(np.ones((3, 4))).replace(b"(3, 4), }", b"(9999999,4)}"), TooLargeError),
        (_npy(np.ones((3, 4))).replace(b"{'descr'", b"{__import"), UnreadableImageError),
        (_npy(np.ones((3, 4))).replace(b"NUMPY\1", b"NUMPY\7"), UnreadableImageError),
        (b"\x93NUMPY\x02\0\xff\xff\xff\xff" + b"(" * 100_000, UnreadableImageError),
        (b"\x93NUMPY\1\0" + bytes(MAX_BYTES), TooLargeError),
    ],
)
def test_refuses_npy(data, error):
    with pytest.raises(error) as caught:
        read_npy(data)
    assert type(caught.value) is error


def test_npy_of_wrong_spacing():
    with pytest.raises(SpacingError, match="spacing_mm: found"):
        read_npy(_npy(np.ones((3, 4))), spacing_mm=(0.8, 800))


@given(arrays(bool, (6, 9)))
@settings(max_examples=25)
def test_masks_say_what_is_not_zero(mask):
    for written in (
        _png(mask),
        _png(mask.astype(np.uint8)),
        _png(mask.astype(np.uint8) * 255),
        _png(mask.astype(np.uint16) * 300),
        _npy(mask),
        _npy(mask.astype(np.float32) * -0.5),
        _npy(mask.astype(">i4")),
    ):
        np.testing.assert_array_equal(read_mask(written), mask)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", EmptyInputError),
        (b"\xff\xd8\xff\xe0" + bytes(50), UnknownFormatError),
        (_png(np.zeros((4, 4, 3), np.uint8)), PixelFormatError),
        (_npy(np.zeros((4, 4), complex)), PixelFormatError),
        (_npy(np.zeros(4, bool)), PixelFormatError),
    ],
)
def test_refuses_masks(data, error):
    with pytest.raises(error):
        read_mask(data)


@given(st.binary(max_size=300))
@settings(max_examples=100)
def test_no_bytes_after_a_signature_raise_anything_else(data):
    for signature, read in ((PNG, read_png), (b"\x93NUMPY", read_npy), (b"", read_mask)):
        with pytest.raises(InputError):
            read(signature + data)
