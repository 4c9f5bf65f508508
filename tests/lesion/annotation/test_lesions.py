"""An annotation's lesions are read, and its anatomy is skipped, as what cannot be read."""

import highdicom as hd
import numpy as np
import pytest
from pydicom.sr.coding import Code

from lesion.annotation.lesions import SkipReason, read_lesions
from lesion.errors import AnnotationError, NoLesionError, OutlineTooSmallError, TooLargeError
from lesion.image.dicom import open_ct
from lesion.warning import WarningCode

from .conftest import item

SHAPE = (64, 64)
LESION = (Code("49755003", "SCT", "x"), Code("52988006", "SCT", "x"))
LIVER = (Code("123037004", "SCT", "x"), Code("10200004", "SCT", "Secret^Patient"))
OLD_LIVER = (Code("T-D0050", "SRT", "x"), Code("T-62000", "SRT", "x"))
TISSUE = (Code("85756007", "SCT", "x"), Code("85756007", "SCT", "x"))


@pytest.fixture
def series(make_series, encode):
    images = make_series(2, PixelSpacing=[0.7, 0.7], shape=SHAPE)
    for image in images:
        encode(image)
    return images


@pytest.fixture
def sent(series, encode):
    return [open_ct(encode(image)).places[0] for image in series]


@pytest.fixture
def seg(series, make_volume, encode):
    """A SEG of a box for each (label, (category, type)), on the first slice."""

    def build(*segments, kind="BINARY", boxes=None, **attributes):
        pixels = np.zeros((2, *SHAPE, len(segments)), np.uint8)
        for at in range(len(segments)):
            x0, y0, x1, y1 = (boxes or {}).get(at, (4 + 12 * at, 4, 12 + 12 * at, 14))
            pixels[0, y0:y1, x0:x1, at] = 1
        labels = tuple(label for label, _ in segments)
        if kind == "LABELMAP":
            pixels = (pixels * np.arange(1, len(segments) + 1)).max(axis=3).astype(np.uint8)
        made = make_volume(series, pixels, kind, labels=labels)
        coded_segments = [one for one in made.SegmentSequence if one.SegmentNumber]
        for segment, (_, (category, concept)) in zip(coded_segments, segments, strict=True):
            for keyword, code in (("Category", category), ("Type", concept)):
                coded = hd.sr.CodedConcept(*code[:3])
                setattr(segment, f"SegmentedProperty{keyword}CodeSequence", [coded])
            segment.AnatomicRegionSequence = [hd.sr.CodedConcept("10200004", "SCT", "Liver")]
            for keyword, value in attributes.items():
                setattr(segment, keyword, value)
        return encode(made)

    return build


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
@pytest.mark.parametrize("liver", [LIVER, OLD_LIVER])
def test_an_organ_beside_a_lesion_is_skipped_and_named(seg, sent, kind, liver):
    data = seg(("cyst", LESION), ("whatever", liver), kind=kind)
    found = read_lesions(data, sent)
    assert [lesion.number for lesion in found.marked] == [1]
    assert found.marked[0].warnings == ()
    (skipped,) = found.skipped
    assert (skipped.structure.number, skipped.structure.label) == (2, "whatever")
    assert (skipped.meaning, skipped.reason) == ("Liver", SkipReason.ANATOMY)
    for word in ("whatever", "Secret"):
        assert word not in skipped.detail


def test_select_takes_anatomy_all_the_same_and_says_so(seg, sent):
    data = seg(("cyst", LESION), ("whole organ", LIVER))
    for select in ("2", "whole organ"):
        found = read_lesions(data, sent, select=select)
        assert [lesion.number for lesion in found.marked] == [2]
        (warning,) = found.marked[0].warnings
        assert warning.code is WarningCode.NO_LESION_SELECTED
        assert found.skipped == ()


def test_anatomy_alone_is_refused_by_what_it_means(seg, sent):
    with pytest.raises(
        NoLesionError, match=r"found no lesion but Liver, expected .*'select'"
    ) as no:
        read_lesions(seg(("Secret", LIVER), ("other", OLD_LIVER)), sent)
    assert "Secret" not in str(no.value)


def test_tissue_is_read_with_a_warning_unless_its_label_is_an_organs(seg, sent):
    found = read_lesions(seg(("GREEN", TISSUE), ("Leber", TISSUE)), sent)
    (lesion,) = found.marked
    assert [warning.code for warning in lesion.warnings] == [WarningCode.STRUCTURE_UNSPECIFIC]
    assert [skipped.meaning for skipped in found.skipped] == ["Liver"]


def test_a_lesions_label_has_the_better_of_an_anatomical_code(seg, sent):
    (lesion,) = read_lesions(seg(("liver tumour", LIVER)), sent).marked
    assert [warning.code for warning in lesion.warnings] == [WarningCode.LESION_BY_LABEL]


def test_what_is_skipped_counts_towards_no_bound(seg, sent):
    """An automatic segmentation of the abdomen has a hundred structures."""
    data = seg(("cyst", LESION), ("a", LIVER), ("b", LIVER), ("c", LIVER))
    assert len(read_lesions(data, sent, most=1).marked) == 1
    with pytest.raises(TooLargeError):
        read_lesions(seg(("cyst", LESION), ("a", LESION)), sent, most=1)


def test_a_segment_that_is_too_small_refuses_no_other(seg, sent):
    speck = {0: (30, 30, 31, 31)}
    found = read_lesions(seg(("speck", LESION), ("cyst", LESION), boxes=speck), sent)
    assert [lesion.number for lesion in found.marked] == [2]
    (skipped,) = found.skipped
    assert (skipped.structure.number, skipped.reason) == (1, SkipReason.UNUSABLE)
    assert "expected at least 2 pixels a side" in skipped.detail
    with pytest.raises(OutlineTooSmallError):
        read_lesions(seg(("speck", LESION), ("organ", LIVER), boxes=speck), sent)


def test_labels_and_tracking_are_carried_through(seg, sent):
    data = seg(("cyst 1", LESION), TrackingID="L-1", TrackingUID="1.2.3.4")
    (lesion,) = read_lesions(data, sent).marked
    structure = lesion.structure
    assert (structure.label, structure.tracking_id, lesion.tracking_uid) == (
        "cyst 1",
        "L-1",
        "1.2.3.4",
    )


def test_a_structure_set_of_organs_and_a_tumour(series, sent, make_rtstruct, encode, to_mm):
    def box(x):
        return [(series[0], to_mm(series[0], [[x, 4], [x + 8, 4], [x + 8, 14], [x, 14]]))]

    names = ("Leber", "x", "GTV1", "Marker 1", "BODY", "Tumor")
    types = ("", "ORGAN", "GTV", "MARKER", "EXTERNAL", "ORGAN")
    made = make_rtstruct(series, {name: box(3 + 9 * at) for at, name in enumerate(names)})
    made.RTROIObservationsSequence = [
        item(ReferencedROINumber=number, RTROIInterpretedType=kind)
        for number, kind in enumerate(types, 1)
    ]
    found = read_lesions(encode(made), sent)
    assert [lesion.structure.label for lesion in found.marked] == ["GTV1", "Tumor"]
    assert [(one.structure.number, one.meaning, str(one.reason)) for one in found.skipped] == [
        (1, "Liver", "anatomy"),
        (2, "patient organ", "anatomy"),
        (4, "marker", "no-lesion"),
        (5, "external patient contour", "anatomy"),
    ]


def test_what_any_observation_of_an_roi_says_counts(series, sent, make_rtstruct, encode, to_mm):
    """However it is spelt: terms are capitals, which not every writer keeps to."""
    box = [(series[0], to_mm(series[0], [[4, 4], [12, 4], [12, 14], [4, 14]]))]
    made = make_rtstruct(series, {"x": box})
    made.RTROIObservationsSequence = [
        item(ReferencedROINumber=1, RTROIInterpretedType=""),
        item(ReferencedROINumber=1, RTROIInterpretedType="Organ"),
    ]
    with pytest.raises(NoLesionError, match="patient organ"):
        read_lesions(encode(made), sent)


@pytest.mark.parametrize("select", [None, "1", "Liver", "cyst"])
def test_structures_of_one_number_are_refused(
    series, sent, seg, make_rtstruct, encode, to_mm, select
):
    """What is marked by the number may be of either: of the organ, too."""
    box = [(series[0], to_mm(series[0], [[4, 4], [12, 4], [12, 14], [4, 14]]))]
    made = make_rtstruct(series, {"Liver": box, "cyst": box})
    made.StructureSetROISequence[1].ROINumber = 1
    both = seg(("Liver", LIVER), ("cyst", LESION), SegmentNumber=1)
    for data in (encode(made), both):
        with pytest.raises(AnnotationError, match=r"found numbers \[1, 1\], expected each .* once"):
            read_lesions(data, sent, select=select)
