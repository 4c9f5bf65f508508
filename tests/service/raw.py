"""DICOM written element by element: pydicom would refuse to write it, or take minutes.

Images and annotations of one study, whose UIDs are the same in all.
"""

import zlib
from collections.abc import Iterable, Sequence
from struct import pack

import numpy as np
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import (
    UID,
    Comprehensive3DSRStorage,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    RLELossless,
    RTStructureSetStorage,
    SegmentationStorage,
)

STUDY, SERIES, IMAGE = "1.2.3", "1.2.3.4", "1.2.3.4.1"
ANNOTATION_SERIES, ANNOTATION = "1.2.3.5", "1.2.3.5.1"
FRAME_OF_REFERENCE = "1.2.3.6"
LABEL_MAP = UID("1.2.840.10008.5.1.4.1.1.66.7")

MB = 1 << 20
FRAMES = 3500
_LONG = {"OB", "OW", "SQ", "UN", "UT"}


def element(keyword: str, value: bytes | str, *, vr: str = "", implicit: bool = False) -> bytes:
    """Write one element; what is too long for its representation is of an unknown one."""
    tag = tag_for_keyword(keyword)
    assert tag
    head = pack("<HH", tag >> 16, tag & 0xFFFF)
    data = value.encode() if isinstance(value, str) else value
    vr = vr or dictionary_VR(tag).split(" ")[0]
    data += (b"\0" if vr in {"UI", "OB"} else b" ") * (len(data) % 2)
    if implicit:
        return head + pack("<L", len(data)) + data
    if vr not in _LONG and len(data) < 1 << 16:
        return head + pack("<2sH", vr.encode(), len(data)) + data
    return head + pack("<2sHL", (vr if vr in _LONG else "UN").encode(), 0, len(data)) + data


def elements(*, implicit: bool = False, **values: bytes | str | int) -> bytes:
    """Write elements by keyword; a number is an unsigned short."""
    return b"".join(
        element(keyword, pack("<H", value) if isinstance(value, int) else value, implicit=implicit)
        for keyword, value in values.items()
    )


def sequence(keyword: str, items: Iterable[bytes], *, implicit: bool = False) -> bytes:
    """Write a sequence of items."""
    data = b"".join(pack("<HHL", 0xFFFE, 0xE000, len(item)) + item for item in items)
    return element(keyword, data, vr="SQ", implicit=implicit)


def nested(keyword: str, depth: int) -> bytes:
    """Write a sequence in a sequence in a sequence, none of them closed."""
    tag = tag_for_keyword(keyword)
    assert tag
    head = pack("<HH2sHL", tag >> 16, tag & 0xFFFF, b"SQ", 0, 0xFFFFFFFF)
    return (head + pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)) * depth


def part10(sop_class: UID, body: bytes, syntax: UID = ExplicitVRLittleEndian) -> bytes:
    """Write a file; a deflated one of whatever is to be inflated."""
    meta = elements(MediaStorageSOPClassUID=sop_class, TransferSyntaxUID=syntax)
    if syntax == DeflatedExplicitVRLittleEndian:
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = stream.compress(body) + stream.flush()
    return bytes(128) + b"DICM" + meta + body


def _identity(sop_class: UID, series: str, instance: str) -> bytes:
    return elements(
        SOPClassUID=sop_class,
        SOPInstanceUID=instance,
        PatientName="Secret^Patient",
        PatientID="SECRET-1",
        StudyInstanceUID=STUDY,
        SeriesInstanceUID=series,
        FrameOfReferenceUID=FRAME_OF_REFERENCE,
    )


_PIXELS = elements(
    SamplesPerPixel=1,
    PhotometricInterpretation="MONOCHROME2",
    BitsAllocated=16,
    BitsStored=12,
    HighBit=11,
    PixelRepresentation=0,
)
_AXES = elements(ImageOrientationPatient="1\\0\\0\\0\\1\\0")
_SPACING = elements(PixelSpacing="0.7\\0.7")
_RESCALE = elements(RescaleIntercept="-1024", RescaleSlope="1")


def image(number: int = 0, *, side: int = 512) -> bytes:
    """Write a CT image, 3 mm above the one before it in its series."""
    return part10(
        CTImageStorage,
        _identity(CTImageStorage, SERIES, instance(number))
        + elements(Modality="CT", ImagePositionPatient=f"0\\0\\{3 * number}", Rows=side)
        + elements(Columns=side)
        + (_PIXELS + _AXES + _SPACING + _RESCALE)
        + element("PixelData", pack("<h", 1084) * side * side),
    )


def instance(number: int) -> str:
    """Return the UID of an image of the series."""
    return f"{SERIES}.{number + 1}"


def frames(*, apart_mm: int, side: int = 8) -> bytes:
    """Write an Enhanced CT image of thousands of small frames."""
    shared = (
        sequence("PlaneOrientationSequence", [_AXES])
        + sequence("PixelMeasuresSequence", [_SPACING])
        + sequence("PixelValueTransformationSequence", [_RESCALE])
    )
    places = [
        sequence("PlanePositionSequence", [elements(ImagePositionPatient=f"0\\0\\{at * apart_mm}")])
        for at in range(FRAMES)
    ]
    return part10(
        EnhancedCTImageStorage,
        _identity(EnhancedCTImageStorage, SERIES, IMAGE)
        + elements(Modality="CT", NumberOfFrames=str(FRAMES), Rows=side, Columns=side)
        + _PIXELS
        + sequence("SharedFunctionalGroupsSequence", [shared])
        + sequence("PerFrameFunctionalGroupsSequence", places)
        + element("PixelData", pack("<h", 1084) * side * side * FRAMES),
    )


def group(
    number: int | None = 1, *, sources: Sequence[str] = (IMAGE,), z: str = "", more: bytes = b""
) -> bytes:
    """Write the functional groups of a SEG's frame."""
    named = [elements(ReferencedSOPInstanceUID=uid) + more for uid in sources]
    derived = sequence("DerivationImageSequence", [sequence("SourceImageSequence", named)])
    place = sequence("PlanePositionSequence", [elements(ImagePositionPatient=f"0\\0\\{z}")])
    segment = sequence("SegmentIdentificationSequence", [_number(number)])
    return derived * bool(named) + place * bool(z) + segment * (number is not None)


def _number(number: int | None) -> bytes:
    return elements(ReferencedSegmentNumber=number or 0)


def seg(
    groups: Sequence[bytes],
    pixels: bytes,
    *,
    kind: str = "BINARY",
    segments: Iterable[int] = (1,),
    syntax: UID = ExplicitVRLittleEndian,
    **values: bytes | str | int,
) -> bytes:
    """Write a SEG; `values` replace those of its attributes."""
    sop_class = LABEL_MAP if kind == "LABELMAP" else SegmentationStorage
    bits = {"BINARY": 1, "FRACTIONAL": 8, "LABELMAP": 16}[kind]
    attributes: dict[str, bytes | str | int] = {
        "NumberOfFrames": str(len(groups)),
        "Rows": 512,
        "Columns": 512,
        "BitsAllocated": bits,
        "SegmentationType": kind,
        "MaximumFractionalValue": 255,
    }
    return part10(
        sop_class,
        _identity(sop_class, ANNOTATION_SERIES, ANNOTATION)
        + elements(**attributes | values)
        + sequence("SegmentSequence", [elements(SegmentNumber=number) for number in segments])
        + sequence(
            "SharedFunctionalGroupsSequence", [sequence("PlaneOrientationSequence", [_AXES])]
        )
        + sequence("PerFrameFunctionalGroupsSequence", groups)
        + (pixels if syntax == RLELossless else element("PixelData", pixels, vr="OB")),
        syntax,
    )


def disc(side: int = 512) -> bytes:
    """Return the bits of a disc."""
    mask = np.hypot(*(np.mgrid[:side, :side] - side // 2)) < side // 6
    return np.packbits(mask.ravel(), bitorder="little").tobytes()


def encapsulated(fragments: Sequence[bytes]) -> bytes:
    """Write compressed Pixel Data of undefined length."""
    items = [b"", *fragments]
    return (
        pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
        + b"".join(pack("<HHL", 0xFFFE, 0xE000, len(item)) + item for item in items)
        + pack("<HHL", 0xFFFE, 0xE0DD, 0)
    )


def rle(*planes: bytes) -> bytes:
    """Write an RLE frame (PS3.5, G) of bytes as they are."""
    coded = [b"".join(b"\x7f" + plane[at : at + 128] for at in range(0, len(plane), 128))
             for plane in planes]  # fmt: skip
    starts = [64 + sum(map(len, coded[:at])) for at in range(len(coded))]
    return pack("<16L", len(coded), *starts, *[0] * (15 - len(coded))) + b"".join(coded)


def contour(points: str, *, sources: Sequence[str] = (IMAGE,)) -> bytes:
    """Write a closed contour."""
    images = [elements(ReferencedSOPInstanceUID=uid) for uid in sources]
    referenced = sequence("ContourImageSequence", images) if images else b""
    return referenced + elements(ContourGeometricType="CLOSED_PLANAR", ContourData=points)


def rtstruct(*rois: Sequence[bytes]) -> bytes:
    """Write an RTSTRUCT of the contours of each ROI."""
    return part10(
        RTStructureSetStorage,
        _identity(RTStructureSetStorage, ANNOTATION_SERIES, ANNOTATION)
        + sequence(
            "StructureSetROISequence",
            [
                elements(ROINumber=str(at), ReferencedFrameOfReferenceUID=FRAME_OF_REFERENCE)
                for at, _ in enumerate(rois)
            ],
        )
        + sequence(
            "ROIContourSequence",
            [
                sequence("ContourSequence", drawn) + elements(ReferencedROINumber=str(at))
                for at, drawn in enumerate(rois)
            ],
        ),
    )


def _code(value: str) -> bytes:
    code = elements(CodeValue=value, CodingSchemeDesignator="DCM")
    return sequence("ConceptNameCodeSequence", [code])


def region(points: object, kind: str = "POLYLINE", *, sources: Sequence[str] = (IMAGE,)) -> bytes:
    """Write an SCOORD, or an SCOORD3D without sources."""
    data = element("GraphicData", np.asarray(points, "<f4").tobytes(), vr="UN")
    images = [elements(ReferencedSOPInstanceUID=uid) for uid in sources]
    of = sequence("ReferencedSOPSequence", images) + elements(ValueType="IMAGE")
    return (
        elements(ValueType="SCOORD" if sources else "SCOORD3D", GraphicType=kind)
        + data
        + (sequence("ContentSequence", [of]) if sources else b"")
        + elements(ReferencedFrameOfReferenceUID=FRAME_OF_REFERENCE)
    )


def report(*groups: Sequence[bytes]) -> bytes:
    """Write a TID 1500 report of the content items of each measurement group."""
    measured = [_code("125007") + sequence("ContentSequence", items) for items in groups]
    return part10(
        Comprehensive3DSRStorage,
        _identity(Comprehensive3DSRStorage, ANNOTATION_SERIES, ANNOTATION)
        + sequence("ContentSequence", [_code("126010") + sequence("ContentSequence", measured)]),
    )


def ring(count: int, radius: float, *, around: float = 140) -> np.ndarray:
    """Return points (x, y) on a circle."""
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return around + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def text(points: np.ndarray, z: float = 0) -> str:
    """Return points of the patient as they stand in an RTSTRUCT."""
    return "\\".join(f"{x:.5g}\\{y:.5g}\\{z:g}" for x, y in points)


def ellipse(radius: float) -> list[list[float]]:
    """Return the ends of an ellipse's axes."""
    return [[140 - radius, 140], [140 + radius, 140], [140, 140 - radius], [140, 140 + radius]]


def bomb(sop_class: UID) -> bytes:
    """Write a file of kilobytes that inflates to more than a request may hold."""
    return part10(sop_class, bytes(100 * MB), DeflatedExplicitVRLittleEndian)
