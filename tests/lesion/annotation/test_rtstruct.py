"""An RTSTRUCT's contours lie where they lie in the patient, or are refused for a stated reason."""

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from lesion.annotation.marked import Sieve
from lesion.annotation.read import read_annotation
from lesion.annotation.rtstruct import read_rtstruct
from lesion.errors import (
    AnnotationError,
    InputError,
    OutlineNotFiniteError,
    OutlineOutsideError,
    OutlineTooSmallError,
    TooLargeError,
    UnreadableOutlineError,
)
from lesion.image.dicom import open_ct
from lesion.warning import FRAME_OF_REFERENCE, REFERENCE_BY_GEOMETRY, SLICES_MISSING

TILT = np.radians(20)
#: Axial; a gantry tilted by 20 degrees; oblique in all three axes; read from below, mirrored.
ORIENTATIONS = {
    "axial": [1, 0, 0, 0, 1, 0],
    "tilted": [1, 0, 0, 0, np.cos(TILT), -np.sin(TILT)],
    "oblique": [0.8, 0.6, 0, -0.36, 0.48, 0.8],
    "mirrored": [-1, 0, 0, 0, 1, 0],
}


def box(x0, y0, x1, y1):
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], float)


def places(images, encode):
    return [open_ct(encode(image)).places[0] for image in images]


def corners(marked):
    outline = marked.outline
    return [outline.x0, outline.y0, outline.x1, outline.y1]


@pytest.mark.parametrize("orientation", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("referenced", [True, False], ids=["referenced", "by plane"])
def test_contours_lie_where_the_patient_has_them(
    make_series, make_rtstruct, encode, orientation, referenced, to_mm
):
    """Of any orientation, on pixels that are no squares, on the slice of the largest area."""
    cosines = [round(float(value), 6) for value in orientation]
    series = make_series(4, ImageOrientationPatient=cosines, PixelSpacing=[0.8, 0.5])
    drawn = [box(4, 5, 14, 15), box(3, 5, 20, 25), box(8, 9, 13, 14)]
    contours = [
        (image if referenced else None, to_mm(image, points))
        for image, points in zip(series[1:], drawn, strict=True)
    ]
    data = encode(make_rtstruct(series, {"lesion": contours}))
    (found,) = read_rtstruct(data, places(series, encode))
    assert found.slice_index == 2
    assert corners(found) == pytest.approx([3, 5, 20, 25], abs=0.01)
    assert found.outline.diameter_mm((0.8, 0.5)) == pytest.approx(np.hypot(8.5, 16), abs=0.01)
    assert found.warnings == ()
    for index in (1, 2, 3):
        (alone,) = read_rtstruct(data, places([series[index]], encode))
        assert corners(alone) == pytest.approx(
            [*drawn[index - 1].min(axis=0), *drawn[index - 1].max(axis=0)], abs=0.01
        )
    with pytest.raises(AnnotationError, match="no closed contour"):
        read_rtstruct(data, places(series[:1], encode))


@pytest.fixture
def series(make_series):
    return make_series(3)


@pytest.fixture
def slice_places(series, encode):
    return places(series, encode)


def test_rois_are_chosen_by_number_or_name(series, slice_places, make_rtstruct, encode, to_mm):
    image = series[0]
    rois = {
        "cyst": [(image, to_mm(image, box(3, 3, 9, 9)))],
        "2": [(image, to_mm(image, box(13, 3, 19, 9)))],
        "metastasis": [(image, to_mm(image, box(23, 3, 29, 9)))],
    }
    data = encode(make_rtstruct(series, rois))
    assert [lesion.number for lesion in read_annotation(data, slice_places)] == [1, 2, 3]
    for select, number in (("1", 1), ("cyst", 1), (" metastasis ", 3), ("2", 2)):
        (found,) = read_annotation(data, slice_places, select=select)
        assert found.number == number
        assert corners(found) == pytest.approx([10 * number - 7, 3, 10 * number - 1, 9], abs=1e-3)
    for select in ("4", "Cyst", "cyst\0", "-1"):
        with pytest.raises(AnnotationError, match="among them") as refused:
            read_annotation(data, slice_places, select=select)
        assert "metastasis" not in str(refused.value)


def test_a_contour_within_another_is_a_hole_and_one_beside_it_a_lesion(
    series, slice_places, make_rtstruct, encode, to_mm
):
    image = series[1]
    drawn = [box(20, 20, 30, 30), box(3, 3, 15, 13), box(5, 5, 9, 9), box(28, 25, 33, 33)]
    data = encode(make_rtstruct(series, {"both": [(image, to_mm(image, one)) for one in drawn]}))
    first, second = read_rtstruct(data, slice_places)
    assert corners(first) == pytest.approx([20, 20, 33, 33], abs=1e-3)
    assert corners(second) == pytest.approx([3, 3, 15, 13], abs=1e-3)
    np.testing.assert_allclose(second.outline.corners_px, drawn[1], atol=1e-3)


def test_a_hole_counts_for_the_largest_area(series, slice_places, make_rtstruct, encode, to_mm):
    hollow = [box(3, 3, 33, 33), box(4, 4, 32, 32)]
    contours = [(series[0], to_mm(series[0], one)) for one in hollow]
    contours.append((series[1], to_mm(series[1], box(3, 3, 23, 23))))
    (found,) = read_rtstruct(encode(make_rtstruct(series, {"one": contours})), slice_places)
    assert found.slice_index == 1


def test_slices_that_were_not_sent_are_remarked_on(
    series, slice_places, make_rtstruct, encode, to_mm
):
    contours = [(image, to_mm(image, box(3, 3, 13, 13))) for image in series]
    data = encode(make_rtstruct(series, {"one": contours}))
    assert read_rtstruct(data, slice_places)[0].warnings == ()
    assert read_rtstruct(data, slice_places[:2])[0].warnings == (SLICES_MISSING,)
    assert read_rtstruct(data, slice_places[:1])[0].warnings == ()  # the caller chose the slice


def test_another_frame_of_reference(series, slice_places, make_rtstruct, encode, to_mm):
    """With a reference to the slice it is remarked on; without, nothing says where the mm are."""
    image = series[0]
    points_mm = to_mm(image, box(3, 3, 13, 13))

    def elsewhere(reference):
        made = make_rtstruct(series, {"one": [(reference, points_mm)]})
        made.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = generate_uid()
        return encode(made)

    (found,) = read_rtstruct(elsewhere(image), slice_places)
    assert found.warnings == (FRAME_OF_REFERENCE,)
    with pytest.raises(AnnotationError, match="no closed contour"):
        read_rtstruct(elsewhere(None), slice_places)


@pytest.mark.parametrize("off_mm", [0.2, -0.2, 0.3, 3.0])
def test_a_contour_off_the_slice_that_it_references(
    series, slice_places, make_rtstruct, encode, off_mm, to_mm
):
    points_mm = to_mm(series[0], box(3, 3, 13, 13)) + np.array([0, 0, off_mm])
    data = encode(make_rtstruct(series, {"one": [(series[0], points_mm)]}))
    if abs(off_mm) < 0.25:
        assert len(read_rtstruct(data, slice_places)) == 1
    else:
        with pytest.raises(AnnotationError, match=f"up to {off_mm:g} mm off"):
            read_rtstruct(data, slice_places)


@pytest.fixture
def rewritten(series, make_rtstruct, to_mm):
    """A structure set as of before de-identification: its series and its images are not there."""
    made = make_rtstruct(series, {"one": [(series[1], to_mm(series[1], box(3, 3, 13, 13)))]})
    study = made.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0]
    study.RTReferencedSeriesSequence[0].SeriesInstanceUID = generate_uid()
    contour = made.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence[0].ReferencedSOPInstanceUID = generate_uid()
    return made


def test_geometry_stands_in_for_a_reference_to_what_is_not_there(rewritten, slice_places, encode):
    (found,) = read_rtstruct(encode(rewritten), slice_places)
    assert (found.slice_index, found.warnings) == (1, (REFERENCE_BY_GEOMETRY,))
    assert corners(found) == pytest.approx([3, 3, 13, 13], abs=1e-3)


def test_geometry_does_so_where_another_series_alone_is_named(
    series, slice_places, rewritten, encode
):
    """Its contour names the slice, though: one of the two is wrong."""
    contour = rewritten.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence[0].ReferencedSOPInstanceUID = series[1].SOPInstanceUID
    (found,) = read_rtstruct(encode(rewritten), slice_places)
    assert (found.slice_index, found.warnings) == (1, (REFERENCE_BY_GEOMETRY,))
    rewritten.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = generate_uid()
    with pytest.raises(AnnotationError, match="references other series only"):
        read_rtstruct(encode(rewritten), slice_places)


def test_geometry_needs_the_plane_and_the_frame_of_reference(rewritten, slice_places, encode):
    with pytest.raises(AnnotationError, match="the plane and the frame of reference"):
        read_rtstruct(encode(rewritten), [slice_places[0], slice_places[2]])
    for uid in (generate_uid(), ""):
        rewritten.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = uid
        with pytest.raises(AnnotationError, match="the frame of reference"):
            read_rtstruct(encode(rewritten), slice_places)


@pytest.mark.parametrize("named", [True, False])
def test_geometry_does_not_choose_among_slices_of_one_plane(
    series, slice_places, rewritten, encode, named
):
    """Phases of one scan, say, with a reference to neither."""
    if not named:
        del rewritten.ROIContourSequence[0].ContourSequence[0].ContourImageSequence
    series[2].ImagePositionPatient = series[1].ImagePositionPatient
    with pytest.raises(AnnotationError, match="found 2 of the slices sent in the plane"):
        read_rtstruct(encode(rewritten), places(series, encode))


def test_an_roi_that_cannot_be_read_refuses_no_other(
    series, slice_places, make_rtstruct, encode, to_mm
):
    image = series[0]
    rois = {
        "small": [(image, to_mm(image, box(3, 3, 4, 9)))],
        "point": [(image, to_mm(image, [[5, 5]]))],
        "off": [(image, to_mm(image, box(3, 3, 9, 9)) + np.array([0, 0, 2]))],
        "lesion": [(image, to_mm(image, box(20, 20, 30, 30)))],
    }
    sieve = Sieve()
    data = encode(make_rtstruct(series, rois))
    (found,) = read_rtstruct(data, slice_places, sieve=sieve)
    assert found.structure.label == "lesion"
    assert [(one.label, type(error)) for one, error in sieve.failed] == [
        ("small", OutlineTooSmallError),
        ("point", AnnotationError),
        ("off", AnnotationError),
    ]
    with pytest.raises(OutlineTooSmallError):
        read_rtstruct(data, slice_places, select="small")


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("ImageOrientationPatient", None), ("ImageOrientationPatient", [1, 0, 0, 1, 0, 0])],
)
def test_refuses_mm_on_a_slice_that_says_not_where_it_lies(
    make_series, make_ct, make_rtstruct, encode, keyword, value, to_mm
):
    (image,) = make_series(1)
    points_mm = to_mm(image, box(3, 3, 13, 13))
    data = encode(make_rtstruct([image], {"one": [(image, points_mm)]}))
    setattr(image, keyword, value)
    with pytest.raises(AnnotationError, match="span a plane"):
        read_rtstruct(data, places([image], encode))


@pytest.mark.parametrize(
    ("error", "points_px"),
    [
        (OutlineOutsideError, box(-3, 3, 9, 9)),
        (OutlineTooSmallError, box(3, 3, 4, 9)),
        (OutlineTooSmallError, np.array([[3, 3], [9, 9], [15, 15.0]])),
        (AnnotationError, box(3, 3, 9, 9)[:2]),
        (TooLargeError, np.tile(box(3, 3, 9, 9), (2100, 1))),
    ],
)
def test_refuses_contours_that_are_no_lesion(
    series, slice_places, make_rtstruct, encode, error, points_px, to_mm
):
    made = make_rtstruct(series, {"one": [(series[0], to_mm(series[0], points_px))]})
    with pytest.raises(error) as refused:
        read_rtstruct(encode(made, ImplicitVRLittleEndian), slice_places)
    assert type(refused.value) is error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1\\2\\3\\4", UnreadableOutlineError),
        ("1\\2\\three" + "\\1\\2\\3" * 2, UnreadableOutlineError),
        ("1_0\\2\\3" * 3, UnreadableOutlineError),
        ("nan\\2\\50" + "\\1\\2\\50" * 2, OutlineNotFiniteError),
    ],
)
def test_refuses_contours_that_are_no_points(
    series, slice_places, make_rtstruct, encode, text, error, to_mm
):
    made = make_rtstruct(series, {"one": [(series[0], to_mm(series[0], box(3, 3, 9, 9)))]})
    contour = made.ROIContourSequence[0].ContourSequence[0]
    contour.add_new("ContourData", "LT", text)
    with pytest.raises(error):
        read_rtstruct(encode(made, ImplicitVRLittleEndian), slice_places)


def test_points_and_open_lines_enclose_nothing(series, slice_places, make_rtstruct, encode, to_mm):
    rois = {"one": [(series[0], to_mm(series[0], box(3, 3, 9, 9)))]}
    for kind in ("POINT", "OPEN_PLANAR", ""):
        with pytest.raises(AnnotationError, match="no closed contour"):
            read_rtstruct(encode(make_rtstruct(series, rois, kind=kind)), slice_places)


def test_refuses_more_lesions_than_asked_for(series, slice_places, make_rtstruct, encode, to_mm):
    drawn = [box(x, 3, x + 3, 9) for x in range(3, 30, 5)]
    rois = {"one": [(series[0], to_mm(series[0], one)) for one in drawn]}
    data = encode(make_rtstruct(series, rois))
    assert len(read_rtstruct(data, slice_places, most=6)) == 6
    with pytest.raises(TooLargeError, match="at most 5"):
        read_rtstruct(data, slice_places, most=5)


def test_refuses_another_kind_of_object(series, slice_places, make_rtstruct, encode):
    made = make_rtstruct(series, {"one": []}, SOPClassUID="1.2.840.10008.5.1.4.1.1.481.5")
    with pytest.raises(AnnotationError, match="expected RT Structure Set"):
        read_rtstruct(encode(made), slice_places)
    with pytest.raises(AnnotationError, match="expected a Segmentation"):
        read_annotation(encode(made), slice_places)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_file_cut_anywhere_is_refused(series, slice_places, make_rtstruct, encode, syntax, to_mm):
    rois = {"one": [(series[0], to_mm(series[0], box(3, 3, 9, 9)))]}
    data = encode(make_rtstruct(series, rois), syntax)
    for end in range(132, len(data) - 1, 61):
        with pytest.raises(InputError):
            read_annotation(data[:end], slice_places)


@pytest.fixture
def water(shared_data):
    folder = shared_data("rtstruct")
    return [open_ct((folder / f"ct_{n}.dcm").read_bytes()).places[0] for n in (1, 2)]


def test_a_real_square_with_a_hole(shared_data, water):
    """24 mm, with a hole in its middle; its writer made up a frame of reference."""
    data = shared_data("rtstruct/rt.dcm").read_bytes()
    (found,) = read_annotation(data, water)
    assert found.slice_index == 0
    assert found.outline.extent_mm(water[0].spacing_mm) == pytest.approx(24, abs=1e-3)
    assert corners(found)[0] == pytest.approx((-51 + 125) / 0.488281 + 0.5, abs=1e-3)
    assert found.warnings == (FRAME_OF_REFERENCE,)
    with pytest.raises(AnnotationError, match="no closed contour"):
        read_annotation(data, water[1:])


@pytest.mark.parametrize("name", ["invalid_reference_rt.dcm", "non_existent_reference_rt.dcm"])
def test_real_structures_of_a_series_of_which_two_slices_are_there(shared_data, water, name):
    """Each contour names its slice, though the list of images lacks it or is absent."""
    found = read_annotation(shared_data(f"rtstruct/{name}").read_bytes(), water)
    assert [(lesion.number, lesion.slice_index) for lesion in found] == [
        (1, 0), (2, 1), (3, 0), (4, 1),
    ]  # fmt: skip
    assert {lesion.warnings for lesion in found} == {(SLICES_MISSING,)}


def test_refuses_more_contours_on_a_slice_than_anybody_draws(
    series, slice_places, make_rtstruct, encode, to_mm
):
    """Which of them overlap costs the square of their number."""
    drawn = [box(3, 3, 9 + at / 100, 9) for at in range(129)]
    rois = {"one": [(series[0], to_mm(series[0], one)) for one in drawn]}
    with pytest.raises(TooLargeError, match="found 129 of 516 points on a slice"):
        read_rtstruct(encode(make_rtstruct(series, rois)), slice_places)
