"""A phantom slice as DICOM: CT Image Storage (PS3.3, A.3) and Segmentation Storage (A.51).

Everything says that it is simulated: Synthetic Data (0008,001C) YES, names, descriptions, the
manufacturer. UIDs and dates are functions of the seed, so the same seed gives the same bytes.
"""

import hashlib
from io import BytesIO

import highdicom
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, SegmentationTypeValues, SegmentDescription
from jaxtyping import Int16
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from lesion import __version__
from training.phantom.classes import LesionClass
from training.phantom.patient import PhantomPatient, PhantomSlice
from training.phantom.scanner import KVP, Scan

STATEMENT = "SIMULATED: drawn by the Hepatica phantom. No patient. Research only."

#: A date that no scan has: a real one would make every run's files differ.
_DATE, _TIME = "20000101", "000000"
_INTERCEPT = -1024


def uid(seed: int, *purpose: str | int) -> UID:
    """Return a UID under 2.25 (PS3.5, B.2) that only this seed and purpose have."""
    text = "/".join(("hepatica-phantom", *map(str, (seed, *purpose))))
    return UID(f"2.25.{int.from_bytes(hashlib.sha256(text.encode()).digest()[:16])}")


def ct_image(seed: int, patient: PhantomPatient, index: int) -> FileDataset:
    """Return slice `index` of a patient as a CT image."""
    image = patient.slices[index]
    sop_uid = uid(seed, patient.patient_id, "ct", index)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = sop_uid
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset(BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = CTImageStorage, sop_uid
    dataset.InstanceNumber = index + 1
    _describe_patient(dataset, seed, patient)
    _describe_scan(dataset, patient.scan)
    _describe_image(dataset, image)
    return dataset


def seg_image(seed: int, patient: PhantomPatient, index: int, source: Dataset) -> Dataset:
    """Return the lesions marked on slice `index`, a segment each, in the slice's order."""
    marked = patient.slices[index].lesions
    seg = highdicom.seg.Segmentation(
        source_images=[source],
        pixel_array=np.stack([one.mask for one in marked], axis=-1)[None].astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[
            SegmentDescription(
                segment_number=number,
                segment_label=f"{one.lesion.lesion_id} {one.lesion.lesion_class}",
                segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
                segmented_property_type=Code(*LesionClass(one.lesion.lesion_class).code),
                # What an algorithm drew and no one has looked at: MANUAL would be a radiologist's.
                algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
                algorithm_identification=highdicom.AlgorithmIdentificationSequence(
                    name="Hepatica phantom",
                    family=codes.DCM.ArtificialIntelligence,
                    version=__version__,
                ),
                tracking_uid=uid(seed, one.lesion.lesion_id),
                tracking_id=one.lesion.lesion_id,
                anatomic_regions=[codes.SCT.Liver],
            )
            for number, one in enumerate(marked, start=1)
        ],
        series_instance_uid=uid(seed, patient.patient_id, "seg series"),
        series_number=2,
        sop_instance_uid=uid(seed, patient.patient_id, "seg", index),
        instance_number=index + 1,
        manufacturer=source.Manufacturer,
        manufacturer_model_name=source.ManufacturerModelName,
        software_versions=__version__,
        device_serial_number="0",
        content_label="SIMULATED",
        content_description=STATEMENT[:64],
        content_creator_name="PHANTOM^HEPATICA",
        series_description="SIMULATED lesion outlines (research only)",
    )
    return _timeless(seg, uid(seed, patient.patient_id, "dimensions", index))


def part10(dataset: Dataset) -> bytes:
    """Return the bytes of a Part 10 file."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _timeless(seg: Dataset, dimensions: UID) -> Dataset:
    """Replace what differs from run to run: dates, and the UID of the dimensions."""
    seg.InstanceCreationDate, seg.InstanceCreationTime = _DATE, _TIME
    seg.ContentDate, seg.ContentTime = _DATE, _TIME
    seg.SeriesDate, seg.SeriesTime = _DATE, _TIME
    seg.SyntheticData = "YES"
    for item in (*seg.DimensionOrganizationSequence, *seg.DimensionIndexSequence):
        item.DimensionOrganizationUID = dimensions
    for item in seg.ContributingEquipmentSequence:
        item.ContributionDateTime = _DATE + _TIME
    return seg


def _describe_patient(dataset: Dataset, seed: int, patient: PhantomPatient) -> None:
    dataset.PatientName = f"PHANTOM^{patient.patient_id}"
    dataset.PatientID = f"PHANTOM-{patient.patient_id}"
    dataset.PatientBirthDate, dataset.PatientSex = "", "O"
    dataset.PatientComments = STATEMENT
    dataset.StudyInstanceUID = uid(seed, patient.patient_id, "study")
    dataset.SeriesInstanceUID = uid(seed, patient.patient_id, "series")
    dataset.FrameOfReferenceUID = uid(seed, patient.patient_id, "frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.StudyDate, dataset.StudyTime = _DATE, _TIME
    dataset.ContentDate, dataset.ContentTime = _DATE, _TIME
    dataset.AccessionNumber = dataset.ReferringPhysicianName = ""
    dataset.StudyID = patient.patient_id
    dataset.StudyDescription = "SIMULATED upper abdomen (research only)"
    dataset.SeriesDescription = "SIMULATED portal phase (research only)"
    dataset.SeriesNumber, dataset.AcquisitionNumber = 1, 1


def _describe_scan(dataset: Dataset, scan: Scan) -> None:
    """Describe the scanner; its maker's name says that no such scanner exists."""
    dataset.Modality = "CT"
    dataset.Manufacturer = f"Hepatica phantom ({scan.make.name})"
    dataset.ManufacturerModelName = "Simulated scanner"
    dataset.DeviceSerialNumber, dataset.SoftwareVersions = "0", __version__
    dataset.KVP = KVP
    dataset.Exposure = round(scan.mas)
    dataset.SliceThickness = scan.thickness_mm
    dataset.ConvolutionKernel = f"SIMULATED {scan.make.kernel}"[:16]
    dataset.ContrastBolusAgent = "SIMULATED"
    dataset.BodyPartExamined = "LIVER"
    dataset.PatientPosition = "HFS"
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109100", "DCM"
    purpose.CodeMeaning = "Synthesizing Equipment"
    equipment = Dataset()
    equipment.Manufacturer, equipment.SoftwareVersions = "Hepatica", __version__
    equipment.PurposeOfReferenceCodeSequence = [purpose]
    dataset.ContributingEquipmentSequence = [equipment]


def _describe_image(dataset: Dataset, image: PhantomSlice) -> None:
    dataset.SyntheticData = "YES"
    dataset.ContentQualification = "RESEARCH"
    dataset.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    dataset.DerivationDescription = STATEMENT
    dataset.ImageComments = STATEMENT
    dataset.BurnedInAnnotation = "NO"
    plane, spacing_mm = image.ct.plane, image.ct.spacing_mm
    if plane is None or spacing_mm is None:  # the phantom always knows where it drew
        raise ValueError("found a slice without plane or spacing")
    dataset.ImagePositionPatient = [round(value, 4) for value in plane.position_mm]
    dataset.ImageOrientationPatient = list(plane.orientation)
    dataset.PixelSpacing = list(spacing_mm)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = image.ct.hu.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = _INTERCEPT, 1, "HU"
    dataset.WindowCenter, dataset.WindowWidth = 60, 400
    dataset.PixelData = _stored(image).tobytes()


def _stored(image: PhantomSlice) -> Int16[np.ndarray, "512 512"]:
    return np.asarray(image.ct.hu - _INTERCEPT, dtype="<i2")
