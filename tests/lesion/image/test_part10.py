"""Hostile bytes are refused for what they are, in bounded time and memory."""

import json
import subprocess
import sys
import zlib
from contextlib import suppress
from struct import pack

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from lesion.annotation.seg import read_segments
from lesion.errors import (
    EmptyInputError,
    InputError,
    RescaleError,
    TooLargeError,
    UnknownFormatError,
    UnreadableImageError,
)
from lesion.image.dicom import read_ct
from lesion.image.part10 import MAX_BYTES, read

MB = 1024 * 1024
UNDEFINED = b"\xff\xff\xff\xff"
EMPTY_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"

_READ = """
import json, sys, time
from pathlib import Path
from lesion.image.dicom import read_ct

def peak_mb():
    # Not getrusage: there a process begins at the peak of the one that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024

data = Path(sys.argv[1]).read_bytes()
idle_mb, start = peak_mb(), time.process_time()
try:
    read_ct(data)
    error = None
except Exception as caught:
    error = type(caught).__name__
print(json.dumps([error, time.process_time() - start, peak_mb() - idle_mb]))
"""


@pytest.fixture
def cost(tmp_path):
    """Read bytes in a process of their own: its error, processor seconds and MB on top of idle."""

    def measure(data):
        path = tmp_path / "hostile"
        path.write_bytes(data)
        found = subprocess.run(
            [sys.executable, "-c", _READ, path], capture_output=True, text=True, check=True
        )
        return json.loads(found.stdout)

    return measure


@pytest.fixture
def head(make_ct, encode):
    """The file meta and the first elements of a CT image, to be continued by hand."""

    def build(syntax=ExplicitVRLittleEndian):
        image = make_ct()
        for keyword in image.dir():
            if image[keyword].tag > 0x00080060:
                delattr(image, keyword)
        return encode(image, syntax)

    return build


def test_refuses_what_is_no_part_10_file():
    with pytest.raises(EmptyInputError):
        read_ct(b"")
    for data in (b"D", b"DICM", b"\x89PNG\r\n\x1a\n" + bytes(200), b"{}" * 100):
        with pytest.raises(UnknownFormatError):
            read_ct(data)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_cut_anywhere_is_refused(make_ct, encode, syntax):
    data = encode(make_ct(), syntax)
    for end in [*range(132, len(data) - 1, 97), len(data) - 1]:
        with pytest.raises(InputError):
            read_ct(data[:end])


def test_only_what_was_asked_for_is_read(make_ct, encode):
    found = read(
        encode(make_ct()),
        {"Modality": None, "StudyID": None, "SegmentSequence": {"SegmentNumber": None}},
        transfer_syntaxes=[ExplicitVRLittleEndian],
    )
    assert found.values == {"Modality": "CT", "StudyID": ""}
    with pytest.raises(KeyError, match="NoSuchKeyword"):
        read(encode(make_ct()), {"NoSuchKeyword": None}, transfer_syntaxes=[ExplicitVRLittleEndian])


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
def test_sequences_are_read_to_the_asked_depth(make_ct, make_seg, encode, syntax, undefined):
    seg = make_seg(make_ct(), [(3, np.ones((4, 4), bool)), (1, np.zeros((4, 4), bool))])
    seg["PerFrameFunctionalGroupsSequence"].is_undefined_length = undefined
    found = read(
        encode(seg, syntax),
        {
            "PerFrameFunctionalGroupsSequence": {
                "SegmentIdentificationSequence": {"ReferencedSegmentNumber": None},
                "PlaneOrientationSequence": {"ImageOrientationPatient": None},
            }
        },
        transfer_syntaxes=[syntax],
    )
    numbers = [
        group["SegmentIdentificationSequence"][0]["ReferencedSegmentNumber"]
        for group in found.values["PerFrameFunctionalGroupsSequence"]
    ]
    assert numbers == [3, 1]


def test_more_bytes_than_the_limit(cost):
    error, seconds, mb = cost(b"\0" * 128 + b"DICM" + b"\0" * MAX_BYTES)
    assert (error, mb < 10, seconds < 0.1) == ("TooLargeError", True, True)


def test_a_deflate_bomb(cost, head):
    """A kilobyte of file for each megabyte inside."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    start = head(DeflatedExplicitVRLittleEndian)
    # The dataset begins where the file meta ends: group length is the first element.
    begin = 132 + 12 + int.from_bytes(start[140:144], "little")
    bomb = b"".join(stream.compress(b"\0" * MB) for _ in range(256)) + stream.flush()
    error, seconds, mb = cost(start[:begin] + bomb)
    assert error == "TooLargeError"
    assert mb < 3 * MAX_BYTES / MB
    assert seconds < 1


def test_a_truncated_deflate_stream(make_ct, encode):
    data = encode(make_ct(), DeflatedExplicitVRLittleEndian)
    with pytest.raises(UnreadableImageError, match="truncated"):
        read_ct(data[:-100])


def test_millions_of_empty_elements(cost, head):
    error, seconds, mb = cost(head() + pack("<HH2sH", 0x0009, 0x0010, b"LO", 0) * 3_000_000)
    assert (error, mb < 20, seconds < 1) == ("TooLargeError", True, True)


def test_millions_of_empty_items(cost, head):
    sequence = pack("<HH2sH", 0x0008, 0x1140, b"SQ", 0) + UNDEFINED
    error, seconds, mb = cost(head() + sequence + b"\xfe\xff\x00\xe0\0\0\0\0" * 3_000_000)
    assert (error, mb < 40, seconds < 1) == ("TooLargeError", True, True)


def test_millions_of_empty_fragments(cost, make_ct, encode):
    image = make_ct(Rows=2048, Columns=2048, PixelData=encapsulate([b"\0\0"]))
    image["PixelData"].is_undefined_length = True
    data = encode(image, RLELossless)
    fragments = b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000
    error, seconds, mb = cost(data.removesuffix(EMPTY_SEQUENCE_END) + fragments)
    assert (error, mb < 20, seconds < 1) == ("TooLargeError", True, True)


@pytest.mark.parametrize("deep", [200, 100_000])
def test_nested_sequences(cost, head, deep):
    level = pack("<HH2sH", 0x0008, 0x1140, b"SQ", 0) + UNDEFINED + b"\xfe\xff\x00\xe0" + UNDEFINED
    error, seconds, mb = cost(head() + level * deep)
    assert (error, mb < 20, seconds < 1) == ("UnreadableImageError", True, True)


def test_a_list_of_millions_of_numbers(cost, head):
    """Implicit VR alone can say so many; each would become an object of its own."""
    value = b"1\\" * 8_000_000
    element = pack("<HHL", 0x0028, 0x0030, len(value)) + value
    error, seconds, mb = cost(head(ImplicitVRLittleEndian) + element)
    assert (error, mb < 80, seconds < 1) == ("SpacingError", True, True)


def test_many_lists_of_numbers(make_seg, make_ct, encode):
    image = make_ct()
    seg = make_seg(image, [(1, np.ones((40, 50), bool))])
    (group,) = seg.PerFrameFunctionalGroupsSequence
    (source,) = group.DerivationImageSequence[0].SourceImageSequence
    source.ReferencedFrameNumber = [1] * 30_000
    group.DerivationImageSequence[0].SourceImageSequence = [source] * 10
    with pytest.raises(TooLargeError):
        read_segments(encode(seg), [read_ct(encode(image)).place])


@pytest.mark.parametrize("names", [1, 60, 30_000])
def test_character_sets_that_nobody_has_heard_of(cost, head, names):
    """Each is looked for, wherever it stands."""
    value = b"x\\" * names
    element = pack("<HH2sH", 0x0008, 0x0005, b"CS", len(value)) + value
    items = (pack("<HHL", 0xFFFE, 0xE000, len(element)) + element) * (20 * MB // len(element))
    sequence = pack("<HH2sH", 0x0008, 0x1140, b"SQ", 0) + UNDEFINED
    error, seconds, mb = cost(head() + sequence + items)
    assert (error, mb < 40, seconds < 2) == ("TooLargeError", True, True)


def test_pixel_data_longer_than_the_file(cost, head):
    error, seconds, mb = cost(head() + pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, 0xFFFFFFFE))
    assert error == "UnreadableImageError"  # nothing was allocated
    assert (mb < 10, seconds < 0.1) == (True, True)


def test_a_header_that_claims_a_gigapixel(cost, make_ct, encode):
    error, seconds, mb = cost(encode(make_ct(Rows=30000, Columns=30000), ExplicitVRLittleEndian))
    assert (error, mb < 10, seconds < 0.1) == ("TooLargeError", True, True)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_whatever_is_changed_is_read_or_refused(make_ct, encode, data):
    """No bytes lead to any other exception than ours."""
    file = bytearray(encode(make_ct(), ImplicitVRLittleEndian))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(132, 900))
        file[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    with suppress(InputError):
        assert read_ct(bytes(file)).hu.shape


def test_text_that_cannot_be_decoded_is_told_as_no_number(make_ct, encode):
    """By pydicom's numbers, which it makes of the bytes instead, a name could be read again."""
    head, _, rest = encode(make_ct(RescaleType="Doe^Jane")).partition(b"\x08\0\x16\0UI")
    assert b"\x08\0\x05\0CS" not in head
    data = head + b"\x08\0\x05\0CS\x0a\0undefined " + b"\x08\0\x16\0UI" + rest
    with pytest.raises(RescaleError, match="found 8 bytes, expected 'HU' or none"):
        read_ct(data)
