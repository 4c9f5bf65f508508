"""One small object of every kind that is read, and how any of its elements is written otherwise."""

from collections.abc import Iterator
from io import BytesIO
from struct import pack
from typing import NamedTuple

import numpy as np
from pydicom import dcmread
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import Tag
from pydicom.uid import (
    Comprehensive3DSRStorage,
    EnhancedCTImageStorage,
    RTStructureSetStorage,
    generate_uid,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

SHAPE = (64, 72)
Y, X = np.mgrid[: SHAPE[0], : SHAPE[1]]
MASK = np.hypot(X - 36, Y - 32) < 12


class Study(NamedTuple):
    """A lesion on one slice, and whatever marks it; `enhanced` has the slice as its only frame."""

    ct: Dataset
    enhanced: Dataset
    seg: Dataset
    rtstruct: Dataset
    sr: Dataset


def item(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def make_study(make_ct, make_seg, encode) -> Study:
    """Build a study; the VR of each element is the one that was written."""
    made = Study(*(dcmread(BytesIO(encode(one))) for one in _make_study(make_ct, make_seg)))
    for dataset in made:
        list(dataset.iterall())  # which reads every element
    return made


def _make_study(make_ct, make_seg) -> Study:
    noise = np.random.default_rng(5).normal(0, 10, SHAPE).round()
    ct = make_ct(np.where(MASK, 15.0, 105.0) + noise, PixelSpacing=[0.7, 0.7])
    seg = make_seg(
        ct, [(1, MASK)], StudyInstanceUID=ct.StudyInstanceUID, SeriesInstanceUID=generate_uid()
    )
    return Study(ct, _enhanced(make_ct, ct), seg, _rtstruct(ct), _sr(ct))


def _referenced(ct: Dataset) -> Dataset:
    return item(ReferencedSOPClassUID=ct.SOPClassUID, ReferencedSOPInstanceUID=ct.SOPInstanceUID)


def _enhanced(make_ct, ct: Dataset) -> Dataset:
    made = make_ct(np.zeros(SHAPE), SOPClassUID=EnhancedCTImageStorage, NumberOfFrames=1)
    made.PixelData = ct.PixelData
    group = {
        "PixelMeasuresSequence": ("PixelSpacing",),
        "PlanePositionSequence": ("ImagePositionPatient",),
        "PlaneOrientationSequence": ("ImageOrientationPatient",),
        "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept", "RescaleType"),
    }
    made.PerFrameFunctionalGroupsSequence = [
        item(
            CTImageFrameTypeSequence=[item(FrameType=["ORIGINAL", "PRIMARY", "AXIAL"])],
            **{
                name: [item(**{key: ct[key].value for key in keys})] for name, keys in group.items()
            },
        )
    ]
    for key in sum(group.values(), ()):
        del made[key]
    return made


def _rtstruct(ct: Dataset) -> Dataset:
    x, y, z = ct.ImagePositionPatient
    corners = [(14, 14), (34, 14), (34, 34), (14, 34)]
    contour = item(
        ContourImageSequence=[_referenced(ct)],
        ContourGeometricType="CLOSED_PLANAR",
        ContourData=[value for dx, dy in corners for value in (x + dx, y + dy, z)],
    )
    return item(
        SOPClassUID=RTStructureSetStorage,
        SOPInstanceUID=generate_uid(),
        StudyInstanceUID=ct.StudyInstanceUID,
        SeriesInstanceUID=generate_uid(),
        Modality="RTSTRUCT",
        StructureSetROISequence=[
            item(
                ROINumber=4,
                ROIName="lesion",
                ReferencedFrameOfReferenceUID=ct.FrameOfReferenceUID,
            )
        ],
        ROIContourSequence=[item(ReferencedROINumber=4, ContourSequence=[contour])],
    )


def _sr(ct: Dataset) -> Dataset:
    def content(kind: str, code: str, relation: str = "CONTAINS", **attributes: object) -> Dataset:
        name = item(CodeValue=code, CodingSchemeDesignator="DCM", CodeMeaning="x")
        return item(
            ValueType=kind,
            RelationshipType=relation,
            ConceptNameCodeSequence=[name],
            **attributes,
        )

    image = item(ValueType="IMAGE", ReferencedSOPSequence=[_referenced(ct)])
    image.RelationshipType = "SELECTED FROM"
    region = content(
        "SCOORD",
        "111030",
        GraphicType="POLYLINE",
        GraphicData=[24.0, 20, 48, 20, 48, 44, 24, 44, 24, 20],
        ContentSequence=[image],
    )
    tracked = content("TEXT", "112039", "HAS OBS CONTEXT", TextValue="lesion")
    group = content("CONTAINER", "125007", ContentSequence=[tracked, region])
    return item(
        SOPClassUID=Comprehensive3DSRStorage,
        SOPInstanceUID=generate_uid(),
        StudyInstanceUID=ct.StudyInstanceUID,
        SeriesInstanceUID=generate_uid(),
        Modality="SR",
        ContentSequence=[content("CONTAINER", "126010", ContentSequence=[group])],
    )


def elements(dataset: Dataset) -> Iterator[tuple[Dataset, int]]:
    """Return all elements, at every depth, as the dataset that holds each and its tag."""
    for tag in list(dataset.keys()):
        yield dataset, tag
        found = dataset.get_item(tag)
        if isinstance(found, DataElement) and found.VR == "SQ":
            for one in found.value:
                yield from elements(one)


def rewrite(dataset: Dataset, tag: int, vr: str, value: bytes) -> None:
    """Put an element in a dataset, of any VR and value; its length is told as the VR has it."""
    dataset._dict[Tag(tag)] = RawDataElement(Tag(tag), vr, len(value), value, 0, False, True)


def written(dataset: Dataset) -> bytes:
    """Write a dataset as Explicit VR Little Endian, whatever is in it: pydicom would look at it."""
    return b"".join(_element(dataset.get_item(tag)) for tag in sorted(dataset.keys()))


def _element(element: DataElement | RawDataElement) -> bytes:
    vr, value = str(element.VR), element.value
    if vr == "SQ" and not isinstance(value, bytes):
        bodies = map(written, value)
        value = b"".join(pack("<HHL", 0xFFFE, 0xE000, len(body)) + body for body in bodies)
    elif isinstance(element, DataElement):
        file = DicomBytesIO()
        file.is_little_endian, file.is_implicit_VR = True, False
        write_data_element(file, element)
        return file.getvalue()
    long = vr in EXPLICIT_VR_LENGTH_32
    length = pack("<HL", 0, len(value)) if long else pack("<H", len(value) & 0xFFFF)
    return pack("<HH", element.tag.group, element.tag.element) + vr.encode() + length + value


def part10(dataset: Dataset, sop_class: str, instance: str = "1.2.3") -> bytes:
    """Return a Part 10 file whose meta information is whole, whatever is in the dataset."""
    names = (
        (0x00020002, sop_class),
        (0x00020003, instance),
        (0x00020010, "1.2.840.10008.1.2.1"),
    )
    meta = BytesIO()
    for tag, uid in names:
        value = uid.encode() + b"\0" * (len(uid) % 2)
        meta.write(pack("<HH2sH", tag >> 16, tag & 0xFFFF, b"UI", len(value)) + value)
    length = pack("<HH2sHL", 2, 0, b"UL", 4, meta.tell())
    return bytes(128) + b"DICM" + length + meta.getvalue() + written(dataset)
