"""What tests share: real files, and DICOM objects built in memory."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from jaxtyping import install_import_hook
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    UID,
    CTImageStorage,
    ExplicitVRLittleEndian,
    SegmentationStorage,
    generate_uid,
)

# Shapes, dtypes and types of every call are checked in every test.
install_import_hook(
    ["lesion", "service", "training"],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)

# The same examples on every run, and none timed: a test machine has other things to do.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

#: Names the folder of real files; the tests that need one skip without it.
_TEST_DATA = "HEPATICA_TEST_DATA"

MakeCT = Callable[..., Dataset]
Encode = Callable[..., bytes]


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Return the path of a real file or folder, or skip."""

    def find(name: str) -> Path:
        folder = os.environ.get(_TEST_DATA)
        if not folder:
            pytest.skip(f"{_TEST_DATA} names no folder of real files")
        path = Path(folder) / name
        if not path.exists():
            pytest.skip(f"found no real file {name} in {_TEST_DATA}")
        return path

    return find


@pytest.fixture
def make_ct() -> MakeCT:
    """Build a valid CT image: 12 bits unsigned, intercept -1024, from HU [rows, cols].

    Attributes by keyword replace those of the image; None removes one.
    """
    return _ct


@pytest.fixture
def make_seg() -> Callable[..., Dataset]:
    """Build a binary SEG of a CT image: one frame for each (segment number, mask)."""
    return _seg


@pytest.fixture
def encode() -> Encode:
    """Write a dataset as a Part 10 file, in memory."""
    return _encode


def _ct(hu: np.ndarray | None = None, **attributes: object) -> Dataset:
    if hu is None:
        hu = np.add.outer(np.arange(40), 5 * np.arange(50)) - 100.0
    image = Dataset()
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = generate_uid()
    image.StudyInstanceUID = generate_uid()
    image.SeriesInstanceUID = generate_uid()
    image.FrameOfReferenceUID = generate_uid()
    image.Modality = "CT"
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.PatientName = "Secret^Patient"
    image.PatientID = "SECRET-1"
    image.PatientBirthDate = "19000101"
    image.PatientSex = "O"
    image.StudyDate = image.StudyTime = image.AccessionNumber = ""
    image.StudyID = image.ReferringPhysicianName = ""
    image.Manufacturer = ""
    image.SeriesNumber = image.InstanceNumber = image.AcquisitionNumber = 1
    image.PositionReferenceIndicator = ""
    image.BodyPartExamined = "LIVER"
    image.KVP = 120
    image.PatientPosition = "HFS"
    image.ImagePositionPatient = [-200.0, -180.0, 50.0]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.PixelSpacing = [0.8, 0.7]
    image.SliceThickness = 3
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.Rows, image.Columns = hu.shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation = 0
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = 1, -1024, "HU"
    image.PixelData = (hu + 1024).astype("<u2").tobytes()
    for keyword, value in attributes.items():
        if value is None:
            delattr(image, keyword)
        else:
            setattr(image, keyword, value)
    return image


def _seg(ct: Dataset, masks: list[tuple[int, np.ndarray]], **attributes: object) -> Dataset:
    seg = Dataset()
    seg.SOPClassUID = SegmentationStorage
    seg.SOPInstanceUID = generate_uid()
    seg.Modality = "SEG"
    seg.SegmentationType = "BINARY"
    seg.Rows, seg.Columns = masks[0][1].shape
    seg.NumberOfFrames = len(masks)
    seg.SamplesPerPixel = 1
    seg.PhotometricInterpretation = "MONOCHROME2"
    seg.BitsAllocated, seg.BitsStored, seg.HighBit, seg.PixelRepresentation = 1, 1, 0, 0
    lesion = {
        "SegmentedPropertyCategoryCodeSequence": [
            _item(CodeValue="49755003", CodingSchemeDesignator="SCT", CodeMeaning="Abnormal")
        ],
        "SegmentedPropertyTypeCodeSequence": [
            _item(CodeValue="52988006", CodingSchemeDesignator="SCT", CodeMeaning="Lesion")
        ],
    }
    seg.SegmentSequence = [
        _item(SegmentNumber=number, **lesion) for number in sorted({number for number, _ in masks})
    ]
    orientation = _item(ImageOrientationPatient=ct.ImageOrientationPatient)
    seg.SharedFunctionalGroupsSequence = [_item(PlaneOrientationSequence=[orientation])]
    source = _item(ReferencedSOPClassUID=ct.SOPClassUID, ReferencedSOPInstanceUID=ct.SOPInstanceUID)
    seg.PerFrameFunctionalGroupsSequence = [
        _item(
            SegmentIdentificationSequence=[_item(ReferencedSegmentNumber=number)],
            DerivationImageSequence=[_item(SourceImageSequence=[source])],
            PlanePositionSequence=[_item(ImagePositionPatient=ct.ImagePositionPatient)],
        )
        for number, _ in masks
    ]
    bits = np.concatenate([mask.ravel() for _, mask in masks])
    packed = np.packbits(bits, bitorder="little").tobytes()
    seg.PixelData = packed + b"\0" * (len(packed) % 2)
    for keyword, value in attributes.items():
        setattr(seg, keyword, value)
    return seg


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _encode(
    dataset: Dataset,
    transfer_syntax: UID = ExplicitVRLittleEndian,
    *,
    media_sop_class: str | None = None,
) -> bytes:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = transfer_syntax
    meta.MediaStorageSOPClassUID = media_sop_class or dataset.get("SOPClassUID") or CTImageStorage
    meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID") or generate_uid()
    # One dataset, one file: a random UID may be shorter, and move all that stands behind it.
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.FileMetaInformationVersion = b"\0\1"
    file = BytesIO()
    dataset.file_meta = meta
    dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()
