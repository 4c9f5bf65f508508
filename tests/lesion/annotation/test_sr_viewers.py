"""Reports as web viewers write them: regions that measurements are inferred from.

The items are those that dcmjs 0.4x and Cornerstone3D's adapters make of their tools (TID 300 in TID
1501): the first measurement of a group holds its region, and names the image.
"""

import numpy as np
import pytest
from pydicom.uid import EnhancedSRStorage, generate_uid

from lesion.annotation.kind import Kind, meaning_of
from lesion.annotation.lesions import read_lesions
from lesion.annotation.sr import read_report
from lesion.errors import AnnotationError
from lesion.image.dicom import open_ct

from .conftest import item

AREA, LENGTH = ("42798000", "SCT", "Area"), ("410668003", "SCT", "Length")
PERIMETER = ("131191004", "SCT", "Perimeter")
SQUARE = [10, 12, 30, 12, 30, 40, 10, 40]
OPEN = [*SQUARE[:-2], 12, 44]


def code(value, scheme, meaning):
    return [item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def scoord(image, graphic, data, **attributes):
    reference = item(
        ReferencedSOPClassUID=image.SOPClassUID, ReferencedSOPInstanceUID=image.SOPInstanceUID
    )
    selected = item(
        RelationshipType="SELECTED FROM", ValueType="IMAGE", ReferencedSOPSequence=[reference]
    )
    return item(
        RelationshipType="INFERRED FROM",
        ValueType="SCOORD",
        GraphicType=graphic,
        GraphicData=[float(value) for value in data],
        ContentSequence=[selected],
        **attributes,
    )


def scoord3d(image, graphic, points_mm):
    return item(
        RelationshipType="INFERRED FROM",
        ValueType="SCOORD3D",
        GraphicType=graphic,
        GraphicData=[float(value) for value in np.ravel(points_mm)],
        ReferencedFrameOfReferenceUID=image.FrameOfReferenceUID,
    )


def num(concept, *regions):
    made = item(
        RelationshipType="CONTAINS", ValueType="NUM", ConceptNameCodeSequence=code(*concept)
    )
    if regions:
        made.ContentSequence = list(regions)
    return made


def group(tool, *items, finding=None, comment=None):
    """Return a measurement group; `finding` is a code, or free text."""
    said = [
        item(
            ValueType="TEXT",
            ConceptNameCodeSequence=code("112039", "DCM", "Tracking Identifier"),
            TextValue=f"Cornerstone3DTools@^0.1.0:{tool}",
        ),
        item(
            ValueType="UIDREF",
            ConceptNameCodeSequence=code("112040", "DCM", "Tracking Unique Identifier"),
            UID=generate_uid(),
        ),
    ]
    if finding is not None:
        free = ("CORNERSTONEFREETEXT", "CORNERSTONEJS", finding)
        coded = code(*(free if isinstance(finding, str) else finding))
        name = code("121071", "DCM", "Finding")
        said.append(item(ValueType="CODE", ConceptNameCodeSequence=name, ConceptCodeSequence=coded))
    if comment is not None:
        name = code("121106", "DCM", "Comment")
        said.append(item(ValueType="TEXT", ConceptNameCodeSequence=name, TextValue=comment))
    return item(
        ValueType="CONTAINER",
        ConceptNameCodeSequence=code("125007", "DCM", "Measurement Group"),
        ContentSequence=[*said, *items],
    )


@pytest.fixture
def report(encode):
    def make(*groups):
        measurements = item(
            ValueType="CONTAINER",
            ConceptNameCodeSequence=code("126010", "DCM", "Imaging Measurements"),
            ContentSequence=list(groups),
        )
        return encode(
            item(
                SOPClassUID=EnhancedSRStorage,
                SOPInstanceUID=generate_uid(),
                ValueType="CONTAINER",
                ContentSequence=[measurements],
            )
        )

    return make


@pytest.fixture
def series(make_series):
    return make_series(3, PixelSpacing=[0.7, 0.7], shape=(64, 64))


@pytest.fixture
def sent(series, encode):
    return [open_ct(encode(image)).places[0] for image in series]


def corners(marked):
    outline = marked.outline
    return [outline.x0, outline.y0, outline.x1, outline.y1]


@pytest.mark.parametrize(
    ("tool", "graphic", "data", "expected"),
    [
        ("EllipticalROI", "ELLIPSE", [10, 30, 40, 30, 25, 20, 25, 40], [10, 20, 40, 40]),
        ("CircleROI", "CIRCLE", [20, 30, 20, 42], [8, 18, 32, 42]),
        ("RectangleROI", "POLYLINE", [*SQUARE, *SQUARE[:2]], [10, 12, 30, 40]),
        ("FreehandRoi", "POLYLINE", SQUARE, [10, 12, 30, 40]),
    ],
)
def test_a_region_within_a_measurement(series, sent, report, tool, graphic, data, expected):
    region = scoord(series[1], graphic, data)
    # Older releases repeat it in each of the measurements.
    for items in ([num(AREA, region), num(PERIMETER)], [num(PERIMETER, region), num(AREA, region)]):
        (found,) = read_report(report(group(tool, *items)), sent)
        assert found.slice_index == 1
        assert corners(found) == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("spacing", [[0.7, 0.7], [0.8, 0.5]])
@pytest.mark.parametrize(
    ("graphic", "at_px", "expected"),
    [
        ("POLYLINE", [[10, 12], [30, 12], [30, 40], [10, 40], [10, 12]], [10, 12, 30, 40]),
        ("ELLIPSE", [[10, 30], [40, 30], [25, 20], [25, 40]], [10, 20, 40, 40]),
        ("CIRCLE", [[30, 30], [46, 30]], None),
    ],
)
def test_the_same_in_mm(make_series, report, encode, to_mm, spacing, graphic, at_px, expected):
    """A circle is round in mm, whatever the sides of the pixels are."""
    cosines = [0.8, 0.6, 0, -0.36, 0.48, 0.8]
    series = make_series(3, PixelSpacing=spacing, shape=(64, 64), ImageOrientationPatient=cosines)
    sent = [open_ct(encode(image)).places[0] for image in series]
    region = scoord3d(series[2], graphic, to_mm(series[2], at_px))
    (found,) = read_report(report(group("ROI", num(AREA, region))), sent)
    assert found.slice_index == 2
    row_mm, col_mm = spacing
    expected = expected or [14, 30 - 16 * col_mm / row_mm, 46, 30 + 16 * col_mm / row_mm]
    assert corners(found) == pytest.approx(expected, abs=5e-3)


def test_control_points_and_the_place_of_a_text_enclose_nothing(series, sent, report):
    region = scoord(series[0], "POLYLINE", [*SQUARE, *SQUARE[:2]])
    control = scoord(
        series[0],
        "MULTIPOINT",
        SQUARE,
        ConceptNameCodeSequence=code("ControlPoints", "99CS3D", "Control Points"),
    )
    place = scoord(series[0], "POINT", [50, 50])
    data = report(group("SplineROI", num(PERIMETER, region, control), num(AREA), place))
    (found,) = read_report(data, sent)
    assert corners(found) == [10, 12, 30, 40]


@pytest.mark.parametrize(
    ("tool", "items", "what"),
    [
        ("Length", [(LENGTH, "POLYLINE", SQUARE[:4])], "POLYLINE"),
        (
            "Bidirectional",
            [
                (("103339001", "SCT", "Long Axis"), "POLYLINE", SQUARE[:4]),
                (("103340004", "SCT", "Short Axis"), "POLYLINE", SQUARE[4:]),
            ],
            "POLYLINE",
        ),
        ("CobbAngle", [(("285285000", "SCT", "Cobb angle"), "POLYLINE", SQUARE)], "POLYLINE"),
        ("open freehand", [(PERIMETER, "POLYLINE", OPEN)], "POLYLINE"),
        ("Probe", [(("111010", "DCM", "Center"), "POINT", [20, 20])], "POINT"),
        ("points", [(("111010", "DCM", "Center"), "MULTIPOINT", SQUARE)], "MULTIPOINT"),
        ("strange", [(AREA, "SECRET", SQUARE)], "a graphic that is not read"),
    ],
)
def test_lines_and_points_enclose_nothing(series, sent, report, tool, items, what):
    measured = [num(concept, scoord(series[0], graphic, data)) for concept, graphic, data in items]
    with pytest.raises(AnnotationError, match=f"found only {what} in 1 measurement groups"):
        read_report(report(group(tool, *measured)), sent)
    region = scoord(series[0], "ELLIPSE", [10, 30, 40, 30, 25, 20, 25, 40])
    found = read_lesions(report(group(tool, *measured), group("ROI", num(AREA, region))), sent)
    assert [lesion.number for lesion in found.marked] == [2]
    assert [(one.structure.number, str(one.reason)) for one in found.skipped] == [(1, "unusable")]
    assert f"found only {what} in the measurement group" in found.skipped[0].detail


def test_a_region_on_an_image_that_is_not_there_is_passed_over(series, sent, report):
    """Pixels of nothing: no geometry stands in for it."""
    data = report(group("ROI", num(AREA, scoord(series[2], "CIRCLE", [20, 20, 20, 30]))))
    with pytest.raises(AnnotationError, match="none of them on the slices sent"):
        read_report(data, sent[:2])


@pytest.mark.filterwarnings("ignore:The value length")  # of the viewer's own code
@pytest.mark.parametrize(
    ("said", "label", "kind"),
    [
        ({"finding": "cyst"}, "cyst", Kind.LESION),
        ({"finding": "Liver"}, "Liver", Kind.ANATOMY),
        ({"comment": "Tumor 1"}, "Tumor 1", Kind.LESION),
        ({"finding": ("T-62000", "SRT", "Liver")}, "", Kind.ANATOMY),
        ({"finding": ("4147007", "SCT", "Mass"), "comment": "a"}, "a", Kind.LESION),
        ({}, "", Kind.UNSPECIFIC),
    ],
)
def test_what_somebody_typed_is_the_label_and_the_finding_says_what_it_is(
    series, sent, report, said, label, kind
):
    """The Tracking Identifier is the name of a tool."""
    region = scoord(series[0], "ELLIPSE", [10, 30, 40, 30, 25, 20, 25, 40])
    (found,) = read_report(report(group("EllipticalROI", num(AREA, region), **said)), sent)
    assert found.structure.label == label
    assert found.structure.tracking_id == "Cornerstone3DTools@^0.1.0:EllipticalROI"
    assert meaning_of(found.structure).kind is kind
