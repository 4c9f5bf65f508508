"""A picture -> a Secondary Capture Image (PS3.3, A.8), beside the image that it shows."""

from datetime import datetime

import numpy as np
from jaxtyping import UInt8
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from lesion import __version__
from service.answers import ModelName
from service.report.source import inherit, local_time
from service.report.uids import MANUFACTURER, derived, software

DESCRIPTION = "AI picture, research only, not for diagnosis"
SERIES_NUMBER = 9802


def secondary_capture(
    source: Dataset,
    model: ModelName,
    pixels: UInt8[np.ndarray, "h w 3"],
    *,
    report_uid: str,
    made_at: datetime,
    frame_number: int | None = None,
) -> Dataset:
    """Return the picture of one slice of `source`, whose lesions a report describes."""
    moment = local_time(source, made_at)
    image = Dataset()
    inherit(image, source)
    image.SOPClassUID = SecondaryCaptureImageStorage
    image.SOPInstanceUID = derived("SC", report_uid, source.SOPInstanceUID, frame_number or 0)
    image.SeriesInstanceUID = derived(
        "series", "SC", __version__, model.digest, source.StudyInstanceUID
    )
    image.Modality, image.SeriesNumber, image.SeriesDescription = "OT", SERIES_NUMBER, DESCRIPTION
    image.InstanceNumber = source.get("InstanceNumber", 1)
    image.Manufacturer = MANUFACTURER
    image.ManufacturerModelName = model.name
    image.SoftwareVersions = software(model)
    image.BodyPartExamined = "LIVER"
    image.ConversionType = "WSD"
    image.PatientOrientation = None
    image.ImageType = ["DERIVED", "SECONDARY"]
    image.DerivationDescription = "Outlines, labels and activation maps of an AI over the slice"
    image.SourceImageSequence = [_reference(source, frame_number)]
    image.ImageComments = "Research only. The most similar of the AI's classes, not a diagnosis."
    image.BurnedInAnnotation = "NO"  # which says of text only that it identifies nobody
    image.LossyImageCompression = "00"
    image.ContentDate = image.InstanceCreationDate = image.DateOfSecondaryCapture = moment.date()
    image.ContentTime = image.InstanceCreationTime = image.TimeOfSecondaryCapture = moment.time()
    _set_pixels(image, pixels)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    return image


def _set_pixels(image: Dataset, pixels: UInt8[np.ndarray, "h w 3"]) -> None:
    image.Rows, image.Columns, image.SamplesPerPixel = pixels.shape
    image.PhotometricInterpretation, image.PlanarConfiguration = "RGB", 0
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    data = pixels.tobytes()
    image.PixelData = data + b"\0" * (len(data) % 2)


def _reference(source: Dataset, frame_number: int | None) -> Dataset:
    reference = Dataset()
    reference.ReferencedSOPClassUID = source.SOPClassUID
    reference.ReferencedSOPInstanceUID = source.SOPInstanceUID
    if frame_number is not None:
        reference.ReferencedFrameNumber = frame_number
    return reference
