"""A SEG gives the outlines that it draws on the slice, or the reason why it draws none."""

import highdicom as hd
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.sr.coding import Code
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
    generate_uid,
)
from rle import encode_pixel_data

from lesion.annotation.seg import read_seg
from lesion.errors import (
    AnnotationError,
    EmptyInputError,
    InputError,
    MaskSizeError,
    OutlineTooSmallError,
    TooLargeError,
    TransferSyntaxError,
    UnknownFormatError,
    UnreadableOutlineError,
)
from lesion.image.dicom import read_ct

SHAPE = (37, 45)  # an odd number of pixels: frames do not begin on a byte


def _box(x0, y0, x1, y1):
    mask = np.zeros(SHAPE, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def _boxes(outlines):
    return [(o.x0, o.y0, o.x1, o.y1) for o in outlines]


@pytest.fixture
def image(make_ct):
    return make_ct(np.zeros(SHAPE))


@pytest.fixture
def ct(image, encode):
    return read_ct(encode(image))


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian]
)
def test_reads_every_frame_wherever_its_bits_begin(image, ct, make_seg, encode, syntax):
    masks = [(number, _box(number, 3, number + 4, 9)) for number in range(1, 12)]
    seg = encode(make_seg(image, masks), syntax)
    assert _boxes(read_seg(seg, ct)) == [(n, 3, n + 4, 9) for n in range(1, 12)]
    for number in range(1, 12):
        assert _boxes(read_seg(seg, ct, segment=number)) == [(number, 3, number + 4, 9)]


def test_reads_rle(image, ct, make_seg, encode):
    masks = [(1, _box(4, 5, 20, 30)), (2, _box(30, 2, 35, 8))]
    seg = make_seg(image, masks)
    packed = [np.packbits(mask, bitorder="little").tobytes() for _, mask in masks]
    shape = {"rows": SHAPE[0], "columns": SHAPE[1], "bits_allocated": 1, "samples_per_pixel": 1}
    seg.PixelData = encapsulate([encode_pixel_data(frame, **shape) for frame in packed])
    seg["PixelData"].is_undefined_length = True
    assert _boxes(read_seg(encode(seg, RLELossless), ct)) == [(4, 5, 20, 30), (30, 2, 35, 8)]


def test_reads_what_highdicom_writes(make_ct, encode):
    """A writer of its own: not our idea of what a SEG looks like."""
    image = make_ct(np.zeros(SHAPE))
    data = encode(image)
    segment = hd.seg.SegmentDescription(
        1,
        "lesion",
        Code("49755003", "SCT", "Morphologically abnormal structure"),
        Code("4147007", "SCT", "Mass"),
        hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    seg = hd.seg.Segmentation(
        [image],
        _box(7, 11, 19, 20)[None],
        hd.seg.SegmentationTypeValues.BINARY,
        [segment],
        generate_uid(),
        1,
        generate_uid(),
        1,
        "maker",
        "model",
        "1",
        "serial",
    )
    assert _boxes(read_seg(encode(seg), read_ct(data))) == [(7, 11, 19, 20)]


def test_frames_of_one_segment_are_joined_and_regions_sorted(image, ct, make_seg, encode):
    masks = [(2, _box(1, 1, 5, 5)), (1, _box(10, 10, 14, 14)), (2, _box(20, 20, 30, 30))]
    found = _boxes(read_seg(encode(make_seg(image, masks)), ct))
    assert found == [(10, 10, 14, 14), (20, 20, 30, 30), (1, 1, 5, 5)]


def test_an_empty_segment_beside_a_lesion_is_passed_over(image, ct, make_seg, encode):
    masks = [(1, np.zeros(SHAPE, bool)), (2, _box(2, 2, 9, 9))]
    seg = encode(make_seg(image, masks))
    assert _boxes(read_seg(seg, ct)) == [(2, 2, 9, 9)]
    with pytest.raises(AnnotationError, match="no marked pixel"):
        read_seg(seg, ct, segment=1)


def test_refuses_a_segment_of_one_pixel(image, ct, make_seg, encode):
    with pytest.raises(OutlineTooSmallError):
        read_seg(encode(make_seg(image, [(1, _box(3, 3, 4, 4))])), ct)


def test_refuses_a_segment_that_is_not_there(image, ct, make_seg, encode):
    with pytest.raises(AnnotationError, match="expected '7' among them"):
        read_seg(encode(make_seg(image, [(1, _box(3, 3, 9, 9))])), ct, segment=7)


def test_refuses_a_seg_of_another_slice(image, make_ct, make_seg, encode):
    other = read_ct(encode(make_ct(np.zeros(SHAPE))))
    with pytest.raises(AnnotationError, match="no frame derived from the slice"):
        read_seg(encode(make_seg(image, [(1, _box(3, 3, 9, 9))])), other)


def test_refuses_a_slice_that_nothing_can_refer_to(make_ct, make_seg, encode):
    image = make_ct(np.zeros(SHAPE), SOPInstanceUID="")
    with pytest.raises(AnnotationError, match="has no SOP Instance UID"):
        read_seg(encode(make_seg(image, [(1, _box(3, 3, 9, 9))])), read_ct(encode(image)))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("ImagePositionPatient", [-200.0, -180.0, 53.0]),
        ("ImageOrientationPatient", [1, 0, 0, 0, -1, 0]),
        ("ImageOrientationPatient", [0, 1, 0, 1, 0, 0]),
    ],
)
def test_refuses_a_frame_that_lies_elsewhere(image, make_ct, make_seg, encode, keyword, value):
    """It refers to the slice, but its pixels are not those of the slice."""
    moved = make_ct(np.zeros(SHAPE), SOPInstanceUID=image.SOPInstanceUID, **{keyword: value})
    with pytest.raises(AnnotationError, match="plane"):
        read_seg(encode(make_seg(image, [(1, _box(3, 3, 9, 9))])), read_ct(encode(moved)))


def test_without_a_plane_the_reference_suffices(make_ct, make_seg, encode):
    image = make_ct(np.zeros(SHAPE))
    seg = encode(make_seg(image, [(1, _box(3, 3, 9, 9))]))
    del image.ImagePositionPatient
    assert len(read_seg(seg, read_ct(encode(image)))) == 1


@pytest.mark.parametrize(
    ("error", "attributes"),
    [
        (MaskSizeError, {"Rows": 45, "Columns": 37}),
        (MaskSizeError, {"Rows": 65535, "Columns": 65535}),
        (AnnotationError, {"SegmentationType": "FRACTIONAL", "BitsAllocated": 8}),
        (AnnotationError, {"SegmentationType": "LABELMAP"}),
        (AnnotationError, {"SOPClassUID": EnhancedCTImageStorage}),
        (UnreadableOutlineError, {"NumberOfFrames": 20000}),
        (UnreadableOutlineError, {"NumberOfFrames": 0}),
        (UnreadableOutlineError, {"PixelData": b"\1" * 10}),
        (UnreadableOutlineError, {"PixelData": b"\1" * 1000}),
        (UnreadableOutlineError, {"PerFrameFunctionalGroupsSequence": []}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "-".join(value),
)
def test_refuses(image, ct, make_seg, encode, error, attributes):
    with pytest.raises(error) as caught:
        read_seg(encode(make_seg(image, [(1, _box(3, 3, 9, 9))], **attributes)), ct)
    assert type(caught.value) is error


def test_refuses_a_frame_that_names_no_segment(image, ct, make_seg, encode):
    seg = make_seg(image, [(1, _box(3, 3, 9, 9))])
    del seg.PerFrameFunctionalGroupsSequence[0].SegmentIdentificationSequence
    with pytest.raises(UnreadableOutlineError, match="ReferencedSegmentNumber"):
        read_seg(encode(seg), ct)


def test_refuses_a_plane_that_is_none(image, ct, make_seg, encode):
    seg = make_seg(image, [(1, _box(3, 3, 9, 9))])
    seg.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [1, 2]
    with pytest.raises(AnnotationError, match="plane"):
        read_seg(encode(seg), ct)


@pytest.mark.parametrize(
    ("data", "error"),
    [(b"", EmptyInputError), (b"\0" * 300, UnknownFormatError), (b"{}", UnknownFormatError)],
)
def test_refuses_what_is_no_dicom(ct, data, error):
    with pytest.raises(error):
        read_seg(data, ct)


def test_refuses_other_transfer_syntaxes(image, ct, make_seg, encode):
    seg = make_seg(image, [(1, _box(3, 3, 9, 9))], PixelData=encapsulate([b"\0\0"]))
    seg["PixelData"].is_undefined_length = True
    with pytest.raises(TransferSyntaxError):
        read_seg(encode(seg, JPEG2000Lossless), ct)


def test_a_broken_rle_frame_is_an_unreadable_outline(image, ct, make_seg, encode):
    seg = make_seg(image, [(1, _box(3, 3, 9, 9))], PixelData=encapsulate([b"\0\0"]))
    seg["PixelData"].is_undefined_length = True
    with pytest.raises(UnreadableOutlineError):
        read_seg(encode(seg, RLELossless), ct)


def test_refuses_more_frames_of_one_slice_than_anybody_draws(image, ct, make_seg, encode):
    seg = make_seg(image, [(1, _box(3, 3, 9, 9))], NumberOfFrames=1100)
    seg.PerFrameFunctionalGroupsSequence = [seg.PerFrameFunctionalGroupsSequence[0]] * 1100
    with pytest.raises(TooLargeError):
        read_seg(encode(seg), ct)


def test_refuses_more_lesions_than_asked_for_in_all_segments_together(image, ct, make_seg, encode):
    boxes = [(number, _box(3 + 4 * number, 3, 6 + 4 * number, 9)) for number in range(1, 6)]
    data = encode(make_seg(image, boxes))
    assert len(read_seg(data, ct, most=5)) == 5
    with pytest.raises(TooLargeError, match="expected at most 4"):
        read_seg(data, ct, most=4)


def test_refuses_more_pixels_of_one_slice_than_anybody_draws(make_ct, make_seg, encode):
    large = make_ct(np.zeros((2048, 2048)))
    mask = np.zeros((2048, 2048), bool)
    mask[3:9, 3:9] = True
    seg, ct = make_seg(large, [(1, mask)] * 65), read_ct(encode(large))
    with pytest.raises(TooLargeError, match="expected 1 to 64"):
        read_seg(encode(seg, DeflatedExplicitVRLittleEndian), ct)


def test_a_file_cut_anywhere_is_refused(image, ct, make_seg, encode):
    data = encode(make_seg(image, [(1, _box(3, 3, 9, 9))]))
    for end in range(132, len(data) - 1, 53):
        with pytest.raises(InputError):
            read_seg(data[:end], ct)


def test_reads_a_real_liver(shared_data):
    """Written by dcmqi; highdicom reads the same pixels."""
    folder = shared_data("liver-seg")
    ct = read_ct((folder / "01.dcm").read_bytes())
    (liver,) = read_seg((folder / "liver.dcm").read_bytes(), ct)
    pixels = hd.seg.segread(folder / "liver.dcm").get_pixels_by_source_instance(
        [ct.identity.sop_instance_uid], ignore_spatial_locations=True
    )[0, ..., 0]
    inside = pixels[int(liver.y0) : int(liver.y1), int(liver.x0) : int(liver.x1)]
    assert 0.99 * pixels.sum() < inside.sum() <= pixels.sum()
    assert 230 < liver.diameter_mm(ct.spacing_mm) < 250


def test_real_overlapping_segments(shared_data):
    folder = shared_data("liver-seg")
    seg = (folder / "partial_overlaps.dcm").read_bytes()
    ct = read_ct((folder / "01.dcm").read_bytes())
    assert len(read_seg(seg, ct)) == 1
    with pytest.raises(AnnotationError, match="found 0 frames"):
        read_seg(seg, ct, segment=5)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("seg-sr/seg_image_ct_binary_fractional.dcm", AnnotationError),
        ("seg-sr/seg_image_ct_binary_overlap.dcm", AnnotationError),
        ("seg-sr/seg_image_ct_binary.dcm", AnnotationError),
        ("seg-sr/sr_document.dcm", AnnotationError),
        ("rtstruct/rt.dcm", AnnotationError),
        ("rtstruct/ct_1.dcm", AnnotationError),
    ],
)
def test_refuses_real_objects_that_are_not_of_the_slice(shared_data, name, error):
    ct = read_ct(shared_data("seg-sr/ct_image.dcm").read_bytes())
    with pytest.raises(error):
        read_seg(shared_data(name).read_bytes(), ct)


def test_a_real_single_frame_seg(shared_data):
    ct = read_ct(shared_data("seg-sr/ct_image.dcm").read_bytes())
    path = shared_data("seg-sr/seg_image_ct_binary_single_frame.dcm")
    outlines = read_seg(path.read_bytes(), ct)
    mask = dcmread(path).pixel_array.astype(bool)
    for outline in outlines:
        assert mask[int(outline.y0) : int(outline.y1), int(outline.x0) : int(outline.x1)].any()
    assert len(outlines) == 7
