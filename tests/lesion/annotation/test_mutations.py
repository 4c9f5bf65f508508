"""Annotations of every kind, changed at random: each is read or refused, in bounded time.

The same changes on every run. More of them: HEPATICA_MUTATIONS=10000.
"""

import os
import time
from contextlib import suppress
from random import Random

import highdicom as hd
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless
from rle import encode_pixel_data

from lesion.annotation.read import read_annotation
from lesion.errors import InputError
from lesion.image.dicom import open_ct

#: Of each kind of annotation.
MUTATIONS = int(os.environ.get("HEPATICA_MUTATIONS", "60"))

SHAPE = (37, 45)
SEG_KINDS = ["BINARY", "FRACTIONAL", "LABELMAP"]
#: What a file may say in place of what belongs there: value representations and lengths.
VRS = [b"US", b"FD", b"SQ", b"UN", b"OB", b"IS", b"DS", b"UI", b"PN", b"AT", b"DT", b"??"]
LENGTHS = [b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\1\0\0\0", b"\xff\xff\0\0"]
#: And whole values: numbers that are none or too large, lists, no text.
VALUES = [b"nan", b"inf", b"1e308", b"-1e308", b"\\" * 6, b"1\\2\\3", b"\xff" * 5, b"9" * 20, b""]


@pytest.fixture(autouse=True)
def same_uids(monkeypatch):
    monkeypatch.setattr("secrets.randbelow", Random(3).randrange)


@pytest.fixture
def series(same_uids, make_series, encode):
    images = make_series(3, shape=SHAPE)
    for image in images:
        encode(image)  # highdicom asks for the file meta
    return images


@pytest.fixture
def places(series, encode):
    return [open_ct(encode(image)).places[0] for image in series]


@pytest.fixture
def seg(series, make_volume):
    """Build a SEG of a kind, with two segments on two slices each."""

    def make(kind, *, compressed=False):
        pixels = np.zeros((3, *SHAPE), np.uint8)
        pixels[0, 3:9, 3:9] = pixels[1, 3:15, 3:13] = 1
        pixels[1, 20:25, 20:24] = pixels[2, 20:30, 20:24] = 2
        made = make_volume(series, pixels, kind)
        if compressed:
            plain = np.frombuffer(made.PixelData, np.uint8)[: made.NumberOfFrames * pixels[0].size]
            size = {"rows": SHAPE[0], "columns": SHAPE[1], "bits_allocated": 8}
            made.PixelData = encapsulate(
                [
                    encode_pixel_data(frame.tobytes(), **size, samples_per_pixel=1)
                    for frame in plain.reshape(made.NumberOfFrames, -1)
                ]
            )
            made["PixelData"].is_undefined_length = True
        return made

    return make


@pytest.fixture
def rtstruct(series, make_rtstruct, to_mm):
    square, hole = [(3, 3), (15, 3), (15, 13), (3, 13)], [(5, 5), (9, 5), (9, 9), (5, 9)]
    return make_rtstruct(
        series,
        {
            "one": [(series[0], to_mm(series[0], square)), (series[0], to_mm(series[0], hole))],
            "two": [(None, to_mm(series[1], square))],
        },
    )


@pytest.fixture
def sr(series, make_sr, to_mm):
    points = np.array([(3, 3), (15, 3), (15, 13), (3, 13), (3, 3)], float)
    source = hd.sr.SourceImageForRegion(series[0].SOPClassUID, series[0].SOPInstanceUID)
    axes = np.array([(3, 8), (15, 8), (9, 3), (9, 13)], float)
    in_mm = to_mm(series[1], points)
    return make_sr(
        series,
        [
            ("one", hd.sr.ImageRegion("POLYLINE", points, source)),
            ("two", hd.sr.ImageRegion("ELLIPSE", axes, source)),
            ("three", hd.sr.ImageRegion3D("POLYGON", in_mm, series[1].FrameOfReferenceUID)),
        ],
    )


def mutated(random, data):
    """Change a file in one to four places, anywhere behind its preamble."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(132, len(changed))
        match random.randrange(7):
            case 0:
                changed[at] ^= 1 << random.randrange(8)
            case 1:
                changed[at : at + 4] = random.choice(LENGTHS)
            case 2:
                del changed[at : at + random.randint(1, 200)]
            case 3:
                changed[at:at] = changed[at : at + random.randint(1, 2000)]
            case 4:  # the representation of an element that is there
                found = changed.find(random.choice([b"IS", b"DS", b"US", b"SQ", b"UI", b"CS"]), at)
                if found > 0:
                    changed[found : found + 2] = random.choice(VRS)
            case 5:
                value = random.choice(VALUES)
                changed[at : at + len(value)] = value
            case _:
                del changed[at + 1 :]
        if len(changed) <= 200:
            break
    return bytes(changed)


def check(data, places, name):
    """Read or refuse many changed copies of an annotation."""
    random = Random(f"{name} 7")
    longest_s = 0.0
    for _ in range(MUTATIONS):
        changed = mutated(random, data)
        began = time.process_time()
        with suppress(InputError):
            for lesion in read_annotation(changed, places):
                assert 0 <= lesion.slice_index < len(places)
        longest_s = max(longest_s, time.process_time() - began)
    assert longest_s < 2


SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit"])
@pytest.mark.parametrize("kind", SEG_KINDS)
def test_segs(seg, places, encode, kind, syntax):
    check(encode(seg(kind), syntax), places, f"{kind} {syntax}")


def test_compressed_segs(seg, places, encode):
    data = encode(seg("FRACTIONAL", compressed=True), RLELossless)
    check(data, places, "RLE")


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit"])
def test_rtstructs(rtstruct, places, encode, syntax):
    check(encode(rtstruct, syntax), places, f"RTSTRUCT {syntax}")


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["explicit", "implicit"])
def test_reports(sr, places, encode, syntax):
    check(encode(sr, syntax), places, f"SR {syntax}")
