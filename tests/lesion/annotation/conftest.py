"""Annotations and images that the readers' tests share, written by highdicom or by hand."""

from collections.abc import Callable

import highdicom as hd
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import RTStructureSetStorage, generate_uid

MASS = Code("4147007", "SCT", "Mass")


def item(**attributes: object) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


@pytest.fixture
def to_mm() -> Callable[[Dataset, object], np.ndarray]:
    """Place pixels (x, y) of a slice in the patient: the standard's own formula (C.7.6.2.1.1)."""

    def place(image: Dataset, points_px: object) -> np.ndarray:
        x, y = (np.asarray(points_px, float) - 0.5).T
        row_mm, col_mm = map(float, image.PixelSpacing)
        along, down = np.reshape(np.array(image.ImageOrientationPatient, float), (2, 3))
        corner = np.array(image.ImagePositionPatient, float)
        return corner + np.outer(x * col_mm, along) + np.outer(y * row_mm, down)

    return place


@pytest.fixture
def make_series(make_ct) -> Callable[..., list[Dataset]]:
    """Build slices of one series, `step` mm apart along their normal."""

    def make(count: int, *, shape=(37, 45), step=3.0, **attributes: object) -> list[Dataset]:
        first = make_ct(np.zeros(shape), **attributes)
        along, down = np.reshape(np.array(first.ImageOrientationPatient, float), (2, 3))
        corner = np.array(first.ImagePositionPatient, float)
        uids = {
            keyword: first[keyword].value
            for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
        }
        others = [
            make_ct(
                np.full(shape, 10.0 * at),
                **{**attributes, **uids},
                ImagePositionPatient=list(corner + at * step * np.cross(along, down)),
            )
            for at in range(1, count)
        ]
        return [first, *others]

    return make


@pytest.fixture
def make_rtstruct() -> Callable[..., Dataset]:
    """Build an RTSTRUCT: for each ROI's name, (image or None, points in mm) of its contours."""

    def make(
        series: list[Dataset], rois: dict[str, list], *, kind="CLOSED_PLANAR", **attributes: object
    ) -> Dataset:
        frame_of_reference_uid = series[0].FrameOfReferenceUID
        images = [_referenced(image) for image in series]
        study = item(
            RTReferencedSeriesSequence=[
                item(SeriesInstanceUID=series[0].SeriesInstanceUID, ContourImageSequence=images)
            ]
        )
        made = item(
            SOPClassUID=RTStructureSetStorage,
            SOPInstanceUID=generate_uid(),
            Modality="RTSTRUCT",
            PatientName="Secret^Patient",
            ReferencedFrameOfReferenceSequence=[
                item(FrameOfReferenceUID=frame_of_reference_uid, RTReferencedStudySequence=[study])
            ],
            StructureSetROISequence=[
                item(
                    ROINumber=number,
                    ROIName=name,
                    ReferencedFrameOfReferenceUID=frame_of_reference_uid,
                )
                for number, name in enumerate(rois, 1)
            ],
            ROIContourSequence=[
                item(
                    ReferencedROINumber=number,
                    ContourSequence=[_contour(image, mm, kind) for image, mm in contours],
                )
                for number, contours in enumerate(rois.values(), 1)
            ],
        )
        for keyword, value in attributes.items():
            setattr(made, keyword, value)
        return made

    return make


def _contour(image: Dataset | None, points_mm: np.ndarray, kind: str) -> Dataset:
    text = [f"{value:.6g}" for value in np.ravel(points_mm)]
    made = item(ContourGeometricType=kind, NumberOfContourPoints=len(points_mm), ContourData=text)
    if image is not None:
        made.ContourImageSequence = [_referenced(image)]
    return made


def _referenced(image: Dataset) -> Dataset:
    return item(
        ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID
    )


@pytest.fixture
def make_sr() -> Callable[..., Dataset]:
    """Build a TID 1500 report with highdicom: a measurement group for each (name, region)."""

    def make(images: list[Dataset], groups: list[tuple[str, object]]) -> Dataset:
        measured = [
            hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
                hd.sr.TrackingIdentifier(uid=generate_uid(), identifier=name),
                referenced_region=region,
                finding_type=MASS,
            )
            for name, region in groups
        ]
        report = hd.sr.MeasurementReport(
            hd.sr.ObservationContext(
                hd.sr.ObserverContext(
                    codes.DCM.Person, hd.sr.PersonObserverIdentifyingAttributes("Secret^Doctor")
                )
            ),
            procedure_reported=codes.LN.CTUnspecifiedBodyRegion,
            imaging_measurements=measured,
        )
        return hd.sr.Comprehensive3DSR(
            images, report, generate_uid(), 1, generate_uid(), 1, manufacturer="maker"
        )

    return make


@pytest.fixture
def make_volume() -> Callable[..., Dataset]:
    """Build a SEG of a series with highdicom: pixels [slices, rows, cols] or [.., segments]."""

    def make(images: list[Dataset], pixels: np.ndarray, kind: str, **options: object) -> Dataset:
        labels = options.pop("labels", ("lesion", "other", "third"))
        count = int(pixels.max()) if pixels.ndim == 3 and pixels.dtype != float else 1
        count = pixels.shape[3] if pixels.ndim == 4 else count
        segments = [
            hd.seg.SegmentDescription(
                number,
                labels[number - 1],
                Code("49755003", "SCT", "Morphologically abnormal structure"),
                MASS,
                hd.seg.SegmentAlgorithmTypeValues.MANUAL,
            )
            for number in range(1, count + 1)
        ]
        return hd.seg.Segmentation(
            images,
            pixels,
            kind,
            segments,
            generate_uid(),
            1,
            generate_uid(),
            1,
            "maker",
            "model",
            "1",
            "serial",
            **options,
        )

    return make
