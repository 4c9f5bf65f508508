"""A frame that costs too much, or kills its decoder, costs the server nothing but an error."""

import os
import signal
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLosslessSV1, RLELossless

from lesion.errors import InputError, TooLargeError, UnreadableImageError
from lesion.image import sandbox
from lesion.image.dicom import read_ct
from lesion.image.frames import Layout
from lesion.image.sandbox import Sandbox

HU = np.random.default_rng(3).integers(-1024, 3071, (64, 48)).astype(float)
LAYOUT = Layout(JPEG2000Lossless, 64, 48, 12, signed=False)


@pytest.fixture(scope="module")
def decode():
    """One sandbox for all that follows: what one test breaks, the next must find whole."""
    with closing(Sandbox()) as made:
        yield made


@pytest.fixture
def fresh():
    with closing(Sandbox()) as made:
        yield made


@pytest.fixture
def compressed(make_ct, encode):
    image = make_ct(HU)
    encode(image)
    image.compress(JPEG2000Lossless)
    return image


@pytest.fixture
def good(compressed, encode):
    """A file that is read before and after whatever the test does."""
    return encode(compressed, JPEG2000Lossless)


@pytest.fixture
def frame(compressed):
    return get_frame(compressed.PixelData, 0)


def _claim(frame, columns, rows):
    """Make the SIZ marker claim one tile of another size."""
    size = struct.pack(">II", columns, rows)
    return frame[:8] + size + frame[16:24] + size + frame[32:]


def _peak_mb(decode):
    status = Path(f"/proc/{decode._process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _assert_reads(good, decode):
    np.testing.assert_array_equal(read_ct(good, decode=decode).hu, HU)


def test_decodes_as_the_process_itself_does(decode, good):
    for _ in range(3):
        _assert_reads(good, decode)
    np.testing.assert_array_equal(read_ct(good).hu, HU)


def test_native_slices_start_no_process(fresh, make_ct, encode):
    read_ct(encode(make_ct()), decode=fresh)
    assert fresh._process is None


def test_threads_share_one_process(decode, good):
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: _assert_reads(good, decode), range(24)))


def test_close_ends_the_process(good):
    made = Sandbox()
    _assert_reads(good, made)
    process = made._process
    made.close()
    made.close()
    assert process.returncode is not None


def test_a_codestream_that_claims_the_largest_slice(decode, good, frame):
    start = time.monotonic()
    with suppress(InputError):  # what openjpeg makes of missing data is its own affair
        decode(_claim(frame, 2048, 2048), Layout(JPEG2000Lossless, 2048, 2048, 12, signed=False))
    assert time.monotonic() - start < 3
    assert _peak_mb(decode) < 300
    _assert_reads(good, decode)


def test_a_codestream_that_claims_a_gigapixel(decode, good, frame):
    """The header is checked before: were it not, the kernel would still stop this one."""
    with pytest.raises(InputError):
        decode(_claim(frame, 30000, 30000), LAYOUT)
    _assert_reads(good, decode)


def test_an_rle_bomb(decode, good):
    """Every two bytes become 128: 10 MB of file, 640 MB of pixels."""
    run = b"\x81\0" * 2_500_000
    header = struct.pack("<16L", 2, 64, 64 + len(run), *[0] * 13)
    with pytest.raises(InputError):
        decode(header + run + run, Layout(RLELossless, 2048, 2048, 12, signed=False))
    _assert_reads(good, decode)


def test_a_decoder_that_died_idle_is_replaced_unnoticed(decode, good):
    _assert_reads(good, decode)
    first = decode._process
    first.kill()
    first.wait()
    _assert_reads(good, decode)
    assert decode._process is not first


@pytest.mark.parametrize(
    ("how", "error"),
    [
        (signal.SIGKILL, TooLargeError),
        (signal.SIGXCPU, TooLargeError),
        (signal.SIGSEGV, UnreadableImageError),
    ],
)
def test_a_decoder_that_dies_at_work_is_replaced(decode, good, how, error):
    _assert_reads(good, decode)
    process = decode._process
    process.send_signal(signal.SIGSTOP)

    def end():
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)

    timer = Timer(0.1, end)
    timer.start()
    with pytest.raises(error, match=f"status {-how}"):
        read_ct(good, decode=decode)
    timer.join()
    _assert_reads(good, decode)


def test_a_decoder_that_hangs_is_replaced(decode, good, monkeypatch):
    _assert_reads(good, decode)
    os.kill(decode._process.pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:
        patch.setattr(sandbox, "WALL_SECONDS", 0.2)
        with pytest.raises(TooLargeError):
            read_ct(good, decode=decode)
    _assert_reads(good, decode)


@pytest.mark.parametrize("outcome", [0, 1, 2, 3])
def test_a_taken_over_decoder_cannot_flood_the_server(fresh, frame, monkeypatch, outcome):
    flood = (
        "import sys, struct; sys.stdin.buffer.read(79);"
        f"sys.stdout.buffer.write(struct.pack('<BI', {outcome}, 2**32 - 1) + bytes(2**20))"
    )

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", flood], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    monkeypatch.setattr(sandbox, "_start", start)
    with pytest.raises(InputError, match="decoder ended"):
        fresh(frame, LAYOUT)


def test_the_process_has_none_of_the_servers_environment(fresh, good, monkeypatch):
    monkeypatch.setenv("HEPATICA_SECRET", "s3cret")
    _assert_reads(good, fresh)
    assert b"s3cret" not in Path(f"/proc/{fresh._process.pid}/environ").read_bytes()


def test_broken_frames_are_refused_and_the_next_is_read(decode, good, frame):
    rng = np.random.default_rng(11)
    for _ in range(60):
        broken = bytearray(frame)
        for at in rng.integers(52, len(frame), 8):
            broken[at] = rng.integers(256)
        with suppress(InputError):
            assert decode(bytes(broken), LAYOUT).shape == (64, 48)
    _assert_reads(good, decode)


@pytest.mark.parametrize("tail", [b"", b"\xff\xda", bytes(1000), b"\xff" * 1000])
def test_a_lossless_jpeg_of_a_header_alone(decode, tail):
    header = b"\xff\xd8\xff\xc3\0\x0b\x0c" + struct.pack(">HH", 64, 48) + b"\1\1\x11\0"
    with pytest.raises(InputError):
        decode(header + tail, Layout(JPEGLosslessSV1, 64, 48, 12, signed=False))
