"""A report's regions lie where highdicom drew them, or are refused for a stated reason."""

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from lesion.annotation.read import read_annotation
from lesion.annotation.sr import read_report
from lesion.errors import (
    AnnotationError,
    InputError,
    OutlineNotFiniteError,
    OutlineOutsideError,
    TooLargeError,
    UnreadableOutlineError,
)
from lesion.image.dicom import open_ct

SQUARE = np.array([[3, 4], [15, 4], [15, 20], [3, 20], [3, 4]], float)


def places(images, encode):
    return [open_ct(encode(image)).places[0] for image in images]


def corners(marked):
    outline = marked.outline
    return [outline.x0, outline.y0, outline.x1, outline.y1]


def region(image, points, kind="POLYLINE"):
    source = hd.sr.SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID)
    return hd.sr.ImageRegion(kind, np.array(points, float), source)


@pytest.fixture
def series(make_series, encode):
    images = make_series(3, PixelSpacing=[0.7, 0.7], shape=(64, 64))
    for image in images:
        encode(image)  # highdicom asks for the file meta
    return images


@pytest.fixture
def slice_places(series, encode):
    return places(series, encode)


@pytest.mark.parametrize(
    ("kind", "points", "expected", "diameter_px"),
    [
        ("POLYLINE", SQUARE, [3, 4, 15, 20], 20),
        ("CIRCLE", [[20, 30], [20, 42]], [8, 18, 32, 42], 24),
        ("ELLIPSE", [[10, 30], [40, 30], [25, 20], [25, 40]], [10, 20, 40, 40], 30),
        # Turned by 45 degrees: half-axes of 10 * sqrt(2) and 5 * sqrt(2).
        ("ELLIPSE", [[10, 10], [30, 30], [15, 25], [25, 15]], [8.82, 8.82, 31.18, 31.18], 28.284),
    ],
)
def test_regions_in_pixels(
    series, slice_places, make_sr, encode, kind, points, expected, diameter_px
):
    data = encode(make_sr(series, [("one", region(series[1], points, kind))]))
    (found,) = read_annotation(data, slice_places)
    assert found.slice_index == 1
    assert corners(found) == pytest.approx(expected, abs=2e-3)
    assert found.outline.diameter_mm((1, 1)) == pytest.approx(diameter_px, abs=2e-3)


@pytest.mark.parametrize("cosines", [[1, 0, 0, 0, 1, 0], [0.8, 0.6, 0, -0.36, 0.48, 0.8]])
def test_regions_in_mm(make_series, make_sr, encode, to_mm, cosines):
    series = make_series(
        3, ImageOrientationPatient=cosines, PixelSpacing=[0.8, 0.5], shape=(64, 64)
    )
    sent = places(series, encode)
    uid = series[0].FrameOfReferenceUID
    drawn = hd.sr.ImageRegion3D("POLYGON", to_mm(series[2], SQUARE), uid)
    data = encode(make_sr(series, [("one", drawn)]))
    (found,) = read_report(data, sent)
    assert found.slice_index == 2
    assert corners(found) == pytest.approx([3, 4, 15, 20], abs=1e-2)
    with pytest.raises(AnnotationError, match="none of them on the slices"):
        read_report(data, sent[:2])
    other = hd.sr.ImageRegion3D("POLYGON", to_mm(series[2], SQUARE), generate_uid())
    with pytest.raises(AnnotationError, match="none of them on the slices"):
        read_report(encode(make_sr(series, [("one", other)])), sent)


@pytest.fixture
def groups(series):
    drawn = [region(series[index], SQUARE + 9 * index) for index in range(3)]
    return [("first", drawn[0]), ("second", drawn[1]), ("1", drawn[2])]


def test_groups_are_chosen_by_number_identifier_or_uid(
    series, slice_places, make_sr, groups, encode
):
    data = encode(make_sr(series, groups))
    every = read_report(data, slice_places)
    assert [(lesion.number, lesion.slice_index) for lesion in every] == [(1, 0), (2, 1), (3, 2)]
    for select, number in (("1", 1), ("3", 3), ("second", 2), (every[2].tracking_uid, 3)):
        (found,) = read_report(data, slice_places, select=select)
        assert found.number == number
        assert corners(found)[0] == 3 + 9 * (number - 1)
    with pytest.raises(AnnotationError, match="expected 'third' among them") as refused:
        read_report(data, slice_places, select="third")
    assert "second" not in str(refused.value)


def test_groups_on_other_slices_are_passed_over(series, slice_places, make_sr, groups, encode):
    data = encode(make_sr(series, groups))
    (found,) = read_report(data, slice_places[1:2])
    assert found.number == 2
    with pytest.raises(AnnotationError, match="none of them on the slices"):
        read_report(data, slice_places[1:2], select="first")


def test_refuses_a_report_without_coordinates(series, slice_places, make_sr, encode):
    report = make_sr(series, [("one", region(series[0], SQUARE))])
    group = report.ContentSequence[-1].ContentSequence[0]
    group.ContentSequence = [item for item in group.ContentSequence if item.ValueType != "SCOORD"]
    with pytest.raises(AnnotationError, match="found no coordinates in 1 measurement groups"):
        read_report(encode(report), slice_places)
    point = region(series[0], [[3, 3]], "POINT")
    with pytest.raises(AnnotationError, match="found only POINT in 1 measurement groups"):
        read_report(encode(make_sr(series, [("one", point)])), slice_places)


def test_refuses_a_report_of_no_measurements(series, slice_places, make_sr, groups, encode):
    report = make_sr(series, groups)
    report.ContentSequence = report.ContentSequence[:2]
    with pytest.raises(AnnotationError, match="no Measurement Group"):
        read_report(encode(report), slice_places)


def test_refuses_a_circle_on_pixels_that_are_not_square(make_series, make_sr, encode):
    series = make_series(1)
    sent = places(series, encode)
    circle = region(series[0], [[20, 20], [20, 30]], "CIRCLE")
    with pytest.raises(AnnotationError, match=r"CIRCLE on pixels of 0\.8 x 0\.7 mm"):
        read_report(encode(make_sr(series, [("one", circle)])), sent)


def _graphic(report):
    groups = report.ContentSequence[-1].ContentSequence
    return next(item for item in groups[0].ContentSequence if item.ValueType == "SCOORD")


@pytest.mark.parametrize(
    ("error", "data"),
    [
        (OutlineNotFiniteError, [3, 3, np.nan, 9, 9, 9]),
        (OutlineOutsideError, [-3, 3, 9, 3, 9, 9]),
        (UnreadableOutlineError, [3, 3, 9, 9, 9]),
        (UnreadableOutlineError, []),
        (AnnotationError, [3, 3, 9, 9, 3, 3]),
        (TooLargeError, [3.0] * 12_500),
    ],
)
def test_refuses_what_encloses_no_lesion(
    series, slice_places, make_sr, groups, encode, error, data
):
    report = make_sr(series, groups[:1])
    _graphic(report).GraphicData = data
    with pytest.raises(error) as refused:
        read_report(encode(report), slice_places)
    assert type(refused.value) is error


def test_refuses_a_region_that_selects_no_image(series, slice_places, make_sr, groups, encode):
    report = make_sr(series, groups[:1])
    del _graphic(report).ContentSequence
    with pytest.raises(AnnotationError, match="selects no image itself"):
        read_report(encode(report), slice_places)


def test_refuses_more_lesions_than_asked_for(series, slice_places, make_sr, groups, encode):
    data = encode(make_sr(series, groups))
    with pytest.raises(TooLargeError, match="at most 2"):
        read_report(data, slice_places, most=2)


def test_a_file_cut_anywhere_is_refused(series, slice_places, make_sr, groups, encode):
    data = encode(make_sr(series, groups))
    for end in range(132, len(data) - 1, 211):
        with pytest.raises(InputError):
            read_annotation(data[:end], slice_places)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sr_document.dcm", {1: [47, 41, 69, 63]}),
        ("sr_document_with_multiple_groups.dcm", {2: [35, 45, 55, 65], 3: [25, 45, 45, 65]}),
    ],
)
def test_real_reports(shared_data, name, expected):
    """A circle; and of four groups the two that enclose something, beside none and a point."""
    place = open_ct(shared_data("seg-sr/ct_image.dcm").read_bytes()).places[0]
    found = read_annotation(shared_data(f"seg-sr/{name}").read_bytes(), [place])
    assert {lesion.number: corners(lesion) for lesion in found} == expected


def test_a_real_report_on_a_segmentation(shared_data):
    """Its measurements reference a SEG: it has no coordinates of its own."""
    path = shared_data("liver-seg/tid1500-sr.dcm")
    place = open_ct(shared_data("liver-seg/01.dcm").read_bytes()).places[0]
    with pytest.raises(AnnotationError, match="no coordinates"):
        read_annotation(path.read_bytes(), [place])
    assert dcmread(path).Modality == "SR"
