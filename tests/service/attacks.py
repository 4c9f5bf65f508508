"""Hostile annotations: what each sends, and what it is refused for.

Each attack is a CT image, or the images of a series, and an annotation of it, as bytes.
"""

from collections.abc import Callable
from struct import pack
from typing import NamedTuple

import numpy as np
from pydicom.uid import (
    Comprehensive3DSRStorage,
    ImplicitVRLittleEndian,
    RLELossless,
    RTStructureSetStorage,
    SegmentationStorage,
)

from .raw import (
    IMAGE,
    MB,
    bomb,
    contour,
    disc,
    element,
    elements,
    ellipse,
    encapsulated,
    frames,
    group,
    image,
    instance,
    nested,
    part10,
    region,
    report,
    ring,
    rle,
    rtstruct,
    seg,
    sequence,
    text,
)


class Attack(NamedTuple):
    """What to send, and what it is refused for; None where it is not."""

    images: list[bytes]
    annotation: bytes
    slug: str | None


SQUARE = "10\\10\\0\\40\\10\\0\\40\\40\\0\\10\\40\\0"
_IMPLICIT_LIST = element("ROINumber", b"1\\" * (12 * MB), implicit=True)
_CHARACTER_SETS = sequence(
    "StructureSetROISequence", [element("SpecificCharacterSet", b"x\\" * 32000)] * 400
)


def _labels(frame: int, side: int = 16) -> bytes:
    """Return an RLE frame in which every pixel has a label of its own."""
    found = np.arange(side * side, dtype=np.uint16) + 30 * frame
    return rle((found >> 8).astype(np.uint8).tobytes(), (found & 255).astype(np.uint8).tobytes())


#: What one image and one annotation can do: each is built when it is sent.
OF_ONE_IMAGE: dict[str, Callable[[], Attack]] = {
    "a deflated SEG": lambda: Attack([image()], bomb(SegmentationStorage), "too-large"),
    "a deflated RTSTRUCT": lambda: Attack([image()], bomb(RTStructureSetStorage), "too-large"),
    "a deflated SR": lambda: Attack([image()], bomb(Comprehensive3DSRStorage), "too-large"),
    "20,000 frames that are not there": lambda: Attack(
        [image()], seg([group()], disc(), NumberOfFrames="20000"), "unreadable-outline"
    ),
    "2^31 frames that are not there": lambda: Attack(
        [image()], seg([group()], disc(), NumberOfFrames=str(2**31)), "unreadable-outline"
    ),
    "65535x65535 pixels": lambda: Attack(
        [image()], seg([group()], disc(), Rows=65535, Columns=65535), "mask-size"
    ),
    "a size that is no whole number": lambda: Attack(
        [image()],
        seg([group()], disc(), Rows=pack("<d", 512.5)).replace(
            b"\x28\0\x10\0US\x08\0", b"\x28\0\x10\0FD\x08\0"
        ),
        "mask-size",
    ),
    "two types at once": lambda: Attack(
        [image()], seg([group()], disc(), SegmentationType="BINARY\\BINARY"), "annotation"
    ),
    "a fraction of nothing": lambda: Attack(
        [image()],
        seg([group()], bytes(512 * 512), kind="FRACTIONAL", MaximumFractionalValue=0),
        "annotation",
    ),
    "100,000 segments": lambda: Attack(
        [image()],
        seg([group()], disc(), segments=[at % 65535 for at in range(100_000)]),
        "too-large",
    ),
    "900 segments that overlap": lambda: Attack(
        [image()],
        seg([group(at) for at in range(1, 901)], disc() * 900, segments=range(1, 901)),
        "too-large",
    ),
    "900 frames of one segment": lambda: Attack(
        [image()], seg([group()] * 900, disc() * 900), None
    ),
    "an RLE frame of 640 MB": lambda: Attack(
        [image(side=2048)],
        seg(
            [group()],
            encapsulated([pack("<16L", 1, 64, *[0] * 14) + b"\x81\1" * (5 * MB)]),
            kind="FRACTIONAL",
            syntax=RLELossless,
            Rows=2048,
            Columns=2048,
        ),
        "annotation",
    ),
    "nested functional groups": lambda: Attack(
        [image()],
        part10(SegmentationStorage, nested("PerFrameFunctionalGroupsSequence", 20_000)),
        "unreadable-outline",
    ),
    "frames that name no source, on thousands of slices": lambda: Attack(
        [frames(apart_mm=3)],
        seg([group(sources=(), z="1.3")] * 1000, disc(8) * 1000, Rows=8, Columns=8),
        "annotation",
    ),
    "frames that lie on thousands of slices each": lambda: Attack(
        [frames(apart_mm=0)],
        seg([group(sources=(), z="0")] * 1000, disc(8) * 1000, Rows=8, Columns=8),
        "annotation",
    ),
    "sources with long lists of frames": lambda: Attack(
        [image()],
        seg(
            [group(sources=[IMAGE] * 460, more=element("ReferencedFrameNumber", b"1\\" * 32000))],
            disc(),
        ),
        "too-large",
    ),
    "a million contours": lambda: Attack([image()], rtstruct([b""] * 1_000_000), "too-large"),
    "a contour of a million points": lambda: Attack(
        [image()], rtstruct([contour("1\\2\\0\\" * 1_000_000)]), "too-large"
    ),
    "5,000 contours on one slice": lambda: Attack(
        [image()], rtstruct([contour(SQUARE)] * 5000), "too-large"
    ),
    "a contour of NaN": lambda: Attack(
        [image()], rtstruct([contour(SQUARE.replace("40", "nan"))]), "outline-not-finite"
    ),
    "an infinite contour": lambda: Attack(
        [image()], rtstruct([contour(SQUARE.replace("40", "inf"))]), "outline-not-finite"
    ),
    "a contour beyond all images": lambda: Attack(
        [image()], rtstruct([contour(SQUARE.replace("40", "1e308"))]), "outline-outside"
    ),
    "a contour beyond all slices": lambda: Attack(
        [image()], rtstruct([contour(SQUARE.replace("\\0", "\\1e308"))]), "outline-outside"
    ),
    "an empty contour": lambda: Attack([image()], rtstruct([contour("")]), "annotation"),
    "a contour of an odd length": lambda: Attack(
        [image()], rtstruct([contour("1\\2\\0\\3")]), "unreadable-outline"
    ),
    "a contour that crosses itself": lambda: Attack(
        [image()],
        rtstruct([contour("10\\10\\0\\40\\40\\0\\40\\10\\0\\10\\40\\0")]),
        None,
    ),
    "a contour of 8,000 corners": lambda: Attack(
        [image()],
        rtstruct([contour("\\".join(f"{x:.9f}\\{y:.9f}\\0" for x, y in ring(8000, 60)))]),
        "too-large",
    ),
    "contours inside each other": lambda: Attack(
        [image()],
        rtstruct(*[[contour(text(ring(60, 5 + at / 4))) for at in range(128)]] * 30),
        "too-large",
    ),
    "a contour that refers to thousands of images": lambda: Attack(
        [frames(apart_mm=3)],
        rtstruct([contour(SQUARE, sources=["9.9"] * 10_000)]),
        "outline-outside",
    ),
    "contours of images that are not there, among thousands": lambda: Attack(
        [frames(apart_mm=3)],
        rtstruct([contour("1\\1\\1\\3\\1\\1\\3\\3\\1", sources=["9.9"])] * 8_000),
        "annotation",
    ),
    "contours that lie on thousands of slices each": lambda: Attack(
        [frames(apart_mm=0)],
        rtstruct([contour("1\\1\\0\\3\\1\\0\\3\\3\\0", sources=())] * 1500),
        "annotation",
    ),
    "a list of millions of numbers": lambda: Attack(
        [image()],
        part10(
            RTStructureSetStorage,
            elements(SOPClassUID=RTStructureSetStorage, implicit=True)
            + sequence("StructureSetROISequence", [_IMPLICIT_LIST], implicit=True),
            ImplicitVRLittleEndian,
        ),
        "unreadable-outline",
    ),
    "character sets that nobody has heard of": lambda: Attack(
        [image()], part10(RTStructureSetStorage, _CHARACTER_SETS), "too-large"
    ),
    "100,000 groups": lambda: Attack([image()], report(*[[]] * 100_000), "too-large"),
    "a report without coordinates": lambda: Attack(
        [image()], report([elements(ValueType="TEXT")]), "annotation"
    ),
    "nested content": lambda: Attack(
        [image()],
        part10(Comprehensive3DSRStorage, nested("ContentSequence", 50_000)),
        "unreadable-outline",
    ),
    "an SCOORD of NaN": lambda: Attack(
        [image()], report([region([[np.nan, 1], [3, 4], [9, 9]])]), "outline-not-finite"
    ),
    "a huge ellipse": lambda: Attack(
        [image()],
        report([region([[-3e38, 0], [3e38, 0], [0, -3e38], [0, 3e38]], "ELLIPSE")]),
        "outline-outside",
    ),
    "ellipses inside each other": lambda: Attack(
        [image()],
        report(*[[region(ellipse(r), "ELLIPSE") for r in range(9, 31)]] * 33),
        "too-large",
    ),
    "a region that refers to thousands of images": lambda: Attack(
        [frames(apart_mm=3)],
        report([region(ring(9, 3, around=4), sources=["9.9"] * 10_000)]),
        "annotation",
    ),
    "regions that lie on thousands of slices each": lambda: Attack(
        [frames(apart_mm=0)],
        report([region([[1, 1, 0], [3, 1, 0], [3, 3, 0]], "POLYGON", sources=())] * 1500),
        "annotation",
    ),
}

#: What a series adds to that.
OF_A_SERIES: dict[str, Callable[[], Attack]] = {
    "512 images and a SEG of all": lambda: Attack(
        [image(at, side=128) for at in range(512)],
        seg(
            [group(sources=[instance(at)], z=str(3 * at)) for at in range(512)],
            disc(128) * 512,
            Rows=128,
            Columns=128,
        ),
        None,
    ),
    "thousands of labels, compressed, on 512 images": lambda: Attack(
        [image(at, side=16) for at in range(512)],
        seg(
            [group(None, sources=[instance(at)]) for at in range(512)],
            encapsulated([_labels(at) for at in range(512)]),
            kind="LABELMAP",
            segments=range(16_000),
            syntax=RLELossless,
            Rows=16,
            Columns=16,
        ),
        "too-large",
    ),
    "large regions on 200 images": lambda: Attack(
        [image(at, side=64) for at in range(200)],
        report(
            [
                region(ring(900, 20 - k, around=30), sources=[instance(at)])
                for at in range(200)
                for k in range(9)
            ]
        ),
        "too-large",
    ),
}
