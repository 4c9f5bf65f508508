"""Answers -> a Comprehensive 3D SR: a Measurement Report (TID 1500) of Planar ROIs (TID 1410).

Of each lesion: its outline on the image, who tracks it, the most similar class as a finding (or a
lesion of the liver, undetermined, where the service abstained), how probable each class is, and its
longest diameter. Never verified, always preliminary, and in words no diagnosis.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    Comprehensive3DSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    RelationshipTypeValues,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from jaxtyping import Float
from pydicom.dataset import Dataset
from pydicom.uid import UID

from lesion import __version__
from lesion.classes import Code
from service.answers import Classification, LesionAnswer, ModelName, SkippedStructure
from service.problems import ReportError
from service.report.image_library import image_library
from service.report.measurements import coded, coding_scheme, measurements
from service.report.source import inherit, local_time
from service.report.uids import MANUFACTURER, derived, software

DESCRIPTION = "AI, research only: most similar of its classes, no diagnosis"
#: Far from the numbers that scanners count up from 1.
SERIES_NUMBER = 9801

#: Of one region: a value of so many 32-bit numbers fits an Explicit VR element (PS3.5, 7.1.2).
MOST_POINTS = 8190

#: Structures that the comment names one by one.
_MOST_SKIPPED = 10

# It logs UIDs, and names that it finds unusual.
logging.getLogger("highdicom").setLevel(logging.CRITICAL)


DEVICE = CodedConcept("121007", "DCM", "Device")
COMMENT = CodedConcept("121106", "DCM", "Comment")
REPORT = CodedConcept("126000", "DCM", "Imaging Measurement Report")
PROCEDURE = CodedConcept("25045-6", "LN", "CT unspecified body region")
LIVER = CodedConcept("10200004", "SCT", "Liver")


class Line(NamedTuple):
    """The line around a lesion: corners (x, y) in pixels, and by which UID somebody tracks it."""

    corners_px: Float[np.ndarray, "n 2"]
    tracking_uid: str = ""


def structured_report(
    sources: Sequence[Dataset],
    answer: Classification,
    lines: Sequence[Line],
    codes: Mapping[str, Code],
    *,
    made_at: datetime,
) -> Dataset:
    """Return the report of the lesions of one request.

    `sources` are what `service.report.source.read_source` returns of the images that the answer
    names, all of one study; `lines` go around the lesions, in the answer's order.
    Raise `ReportError` for a contour of more corners than one region holds.
    """
    regions = [
        _region(sources, lesion, line.corners_px)
        for lesion, line in zip(answer.lesions, lines, strict=True)
    ]
    tracked = _tracked(lines, regions)
    groups = [
        _group(answer, index, region, tracked[index], codes) for index, region in enumerate(regions)
    ]
    source = sources[0]
    report = MeasurementReport(
        observation_context=_observation_context(answer.model),
        procedure_reported=PROCEDURE,
        imaging_measurements=groups,
        title=REPORT,
    )
    contents = report[0].ContentSequence
    contents.insert(len(contents) - 1, image_library(sources))  # before the measurements
    _separate(report)
    moment = local_time(source, made_at)
    document: Dataset = Comprehensive3DSR(
        evidence=sources,
        content=report,
        series_instance_uid=derived("series", "SR", *_maker(answer.model), source.StudyInstanceUID),
        series_number=SERIES_NUMBER,
        sop_instance_uid=derived(
            "SR", *_maker(answer.model), *map(_place, regions), *tracked, *_annotated(answer)
        ),
        instance_number=source.get("InstanceNumber", 1),
        is_complete=True,
        is_final=False,
        series_description=DESCRIPTION,
        content_date=moment.date(),
        content_time=moment.time(),
        specific_character_set=_character_set(source, answer),
        **equipment(answer.model),
    )
    document.InstanceCreationDate, document.InstanceCreationTime = (
        document.ContentDate,
        document.ContentTime,
    )
    document.CodingSchemeIdentificationSequence = [coding_scheme()]
    inherit(document, source)
    return document


def _character_set(source: Dataset, answer: Classification) -> str | None:
    """Return the character set of the image's values and of the labels; None for ASCII."""
    if all(_named(lesion).isascii() for lesion in answer.lesions):
        found: str | None = source.get("SpecificCharacterSet")
        return found
    return "ISO_IR 192"


def _separate(items: Sequence[Dataset]) -> None:
    """Mark each container's items as SEPARATE (PS3.3, C.17.3): they are no running text."""
    for item in items:
        if item.ValueType == "CONTAINER":
            item.ContinuityOfContent = "SEPARATE"
            _separate(item.get("ContentSequence", []))


def equipment(model: ModelName) -> dict[str, object]:
    """Return what made an object (PS3.3, C.7.5.2), as highdicom's keywords."""
    return {
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": model.name,
        "software_versions": software(model),
        "device_serial_number": model.digest[:16],
    }


def _region(
    sources: Sequence[Dataset], lesion: LesionAnswer, corners: Float[np.ndarray, "n 2"]
) -> ImageRegion:
    """Return a lesion's outline on its image."""
    if len(corners) >= MOST_POINTS:
        raise ReportError(
            f"report: found an outline of {len(corners)} corners, "
            f"expected fewer than {MOST_POINTS}, as one region holds"
        )
    image = lesion.image
    source = next(s for s in sources if image and s.SOPInstanceUID == image.sop_instance_uid)
    frames = [image.frame_number] if image and image.frame_number is not None else None
    return ImageRegion(
        GraphicTypeValues.POLYLINE,
        np.concatenate([corners, corners[:1]]).astype(np.float32),
        SourceImageForRegion(source.SOPClassUID, source.SOPInstanceUID, frames),
    )


def _maker(model: ModelName) -> tuple[str, str]:
    return __version__, model.digest


def _place(region: ImageRegion) -> str:
    """Return where a region lies, in words that no other has."""
    image = region.ContentSequence[0].ReferencedSOPSequence[0]
    frame = image.get("ReferencedFrameNumber", 0)
    return f"{image.ReferencedSOPInstanceUID}/{frame}/{region.GraphicData}"


def _observation_context(model: ModelName) -> ObservationContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=derived("device", *_maker(model)),
        name=MANUFACTURER,
        manufacturer_name=MANUFACTURER,
        model_name=f"Hepatica {model.name} {model.version}",
        serial_number=model.digest[:16],
    )
    return ObservationContext(observer_device_context=ObserverContext(DEVICE, device))


def _tracked(lines: Sequence[Line], regions: Sequence[ImageRegion]) -> list[str]:
    """Return by which UID each lesion is tracked: the annotation's, where that means it alone.

    Otherwise it follows from the place: another bundle that looks at the lesion tracks the same.
    """
    given = Counter(line.tracking_uid for line in lines)
    return [
        line.tracking_uid
        if UID(line.tracking_uid).is_valid and given[line.tracking_uid] == 1
        else derived("lesion", _place(region))
        for line, region in zip(lines, regions, strict=True)
    ]


def _group(
    answer: Classification,
    index: int,
    region: ImageRegion,
    tracking_uid: str,
    codes: Mapping[str, Code],
) -> PlanarROIMeasurementsAndQualitativeEvaluations:
    lesion = answer.lesions[index]
    group = PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(tracking_uid, identifier(answer, index)),
        referenced_region=region,
        finding_type=coded(lesion.code),
        finding_sites=[FindingSite(LIVER)],
        algorithm_id=_algorithm(answer),
        measurements=measurements(lesion, codes),
    )
    group[0].ContentSequence.append(
        TextContentItem(
            COMMENT,
            " ".join([statement(lesion), *_skipped(answer.skipped)]),
            RelationshipTypeValues.CONTAINS,
        )
    )
    return group


def identifier(answer: Classification, index: int) -> str:
    """Return what a lesion is called: as in the annotation, where that has a name for it.

    Several lesions of one name are numbered as they stand in the answer.
    """
    named = [_named(lesion) for lesion in answer.lesions]
    name = named[index]
    if not name:
        return f"Lesion {index + 1}"
    return name if named.count(name) == 1 else f"{name} ({index + 1})"


def _annotated(answer: Classification) -> list[str]:
    """Return what the report says of the annotation beside its outlines."""
    names = [identifier(answer, index) for index in range(len(answer.lesions))]
    return [*names, *_skipped(answer.skipped)]


def _named(lesion: LesionAnswer) -> str:
    structure = lesion.structure
    return (structure.label or structure.tracking_identifier) if structure else ""


def _skipped(skipped: Sequence[SkippedStructure]) -> list[str]:
    """Word what of the annotation was not classified, by what it means and not by its label."""
    if not skipped:
        return []
    told = [
        f"{one.annotation_number} ({one.structure or 'no code'}): {one.detail}"
        for one in skipped[:_MOST_SKIPPED]
    ]
    more = len(skipped) - len(told)
    told += [f"and {more} more"] if more else []
    return [f"Not classified of the annotation: {'; '.join(told)}."]


def _algorithm(answer: Classification) -> AlgorithmIdentification:
    model = answer.model
    return AlgorithmIdentification(
        name=f"Hepatica {model.name} {model.version}",
        version=model.digest,
        parameters=[f"hepatica {__version__}", f"Intended use: {answer.disclaimer}"],
    )


def statement(lesion: LesionAnswer) -> str:
    """Word what was found for whoever reads the report: no diagnosis."""
    classes = ", ".join(lesion.probabilities)
    likeness = lesion.out_of_distribution
    sentences = [
        "Research use only, not for diagnosis.",
        f"The most similar of the classes {classes}, not a diagnosis: {lesion.label}.",
        f"Prediction set: {', '.join(lesion.prediction_set) or 'no class'}.",
    ]
    if lesion.reason:
        sentences.append(f"Undetermined: the classifier abstains ({lesion.reason.detail}).")
    sentences.append(
        f"Out-of-distribution score {likeness.score:.3g}, threshold {likeness.threshold:.3g}."
    )
    sentences += [f"Note: {warning.detail}." for warning in lesion.warnings]
    return " ".join(sentences)
