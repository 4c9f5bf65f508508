"""Every kind of SEG that highdicom writes, on one slice and on a series."""

import highdicom as hd
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, generate_uid
from rle import encode_pixel_data

from lesion.annotation.read import read_annotation
from lesion.annotation.seg import read_segments
from lesion.errors import AnnotationError, MaskSizeError, OutlineTooSmallError
from lesion.image.dicom import open_ct
from lesion.warning import REFERENCE_BY_GEOMETRY, SLICES_MISSING

SHAPE = (37, 45)
KINDS = ["BINARY", "FRACTIONAL", "LABELMAP"]


def places(images, encode):
    return [open_ct(encode(image)).places[0] for image in images]


def corners(marked):
    outline = marked.outline
    return [outline.x0, outline.y0, outline.x1, outline.y1]


def found_in(data, sent, **options):
    marked = read_annotation(data, sent, **options)
    return [(lesion.number, lesion.slice_index, corners(lesion)) for lesion in marked]


@pytest.fixture
def series(make_series, encode):
    images = make_series(3, shape=SHAPE)
    for image in images:
        encode(image)  # highdicom asks for the file meta
    return images


@pytest.fixture
def sent(series, encode):
    return places(series, encode)


@pytest.fixture
def labels():
    """Lesion 1 is largest on slice 1, lesion 2 on slice 2, lesion 3 is on slice 0 alone."""
    pixels = np.zeros((3, *SHAPE), np.uint8)
    pixels[0, 3:9, 3:9] = pixels[1, 3:15, 3:13] = pixels[2, 4:9, 4:9] = 1
    pixels[1, 20:25, 20:24] = pixels[2, 20:30, 20:24] = 2
    pixels[0, 20:26, 30:40] = 3
    return pixels


def _run_length_encode(seg):
    """Compress what highdicom wrote: with GDCM, which it asks to, a frame of odd length aborts."""
    bits, frames = seg.BitsAllocated, seg.NumberOfFrames
    if bits == 1:
        unpacked = np.unpackbits(np.frombuffer(seg.PixelData, "u1"), bitorder="little")
        masks = unpacked[: frames * SHAPE[0] * SHAPE[1]].reshape(frames, -1)
        plain = [np.packbits(mask, bitorder="little").tobytes() for mask in masks]
    else:
        size = SHAPE[0] * SHAPE[1]
        plain = [seg.PixelData[at * size : (at + 1) * size] for at in range(frames)]
    shape = {"rows": SHAPE[0], "columns": SHAPE[1], "bits_allocated": bits, "samples_per_pixel": 1}
    seg.PixelData = encapsulate([encode_pixel_data(frame, **shape) for frame in plain])
    seg["PixelData"].is_undefined_length = True


EXPECTED = [(1, 1, [3, 3, 13, 15]), (2, 2, [20, 20, 24, 30]), (3, 0, [30, 20, 40, 26])]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless])
def test_each_segment_on_its_largest_slice(series, sent, labels, make_volume, encode, kind, syntax):
    seg = make_volume(series, labels, kind)
    if syntax == RLELossless:
        _run_length_encode(seg)
    data = encode(seg, syntax)
    assert found_in(data, sent) == EXPECTED
    for number, slice_index, box in EXPECTED:
        assert found_in(data, sent, select=str(number)) == [(number, slice_index, box)]
    assert found_in(data, sent, select="other") == [EXPECTED[1]]
    assert found_in(data, sent[:1]) == [(1, 0, [3, 3, 9, 9]), (3, 0, [30, 20, 40, 26])]
    for select in ("7", "Lesion"):
        with pytest.raises(AnnotationError, match="among them"):
            read_segments(data, sent, select=select)


@pytest.mark.parametrize("kind", KINDS)
def test_a_segment_that_is_not_on_the_slice(series, sent, labels, make_volume, encode, kind):
    data = encode(make_volume(series, labels, kind))
    with pytest.raises(AnnotationError, match=r"found 0 frames|no marked pixel"):
        read_segments(data, sent[1:2], select="3")


def test_labels_of_16_bits(series, sent, labels, make_volume, encode):
    seg = make_volume(series, labels, "LABELMAP")
    seg.BitsAllocated, seg.BitsStored, seg.HighBit = 16, 16, 15
    next(one for one in seg.SegmentSequence if one.SegmentNumber == 2).SegmentNumber = 700
    wide = np.frombuffer(seg.PixelData, "u1").astype("<u2")[: 3 * SHAPE[0] * SHAPE[1]]
    seg.PixelData = np.where(wide == 2, 700, wide).astype("<u2").tobytes()
    numbers = [(1, *EXPECTED[0][1:]), (3, *EXPECTED[2][1:]), (700, *EXPECTED[1][1:])]
    assert found_in(encode(seg), sent) == numbers


def test_segments_that_overlap_are_lesions_each(series, sent, make_volume, encode):
    pixels = np.zeros((3, *SHAPE, 2), np.uint8)
    pixels[0, 3:20, 3:20, 0] = pixels[0, 10:30, 10:30, 1] = 1
    data = encode(make_volume(series, pixels, "BINARY"))
    assert found_in(data, sent) == [(1, 0, [3, 3, 20, 20]), (2, 0, [10, 10, 30, 30])]


def test_what_is_fractional_is_marked_from_half_on(series, sent, make_volume, encode):
    pixels = np.zeros((3, *SHAPE))
    pixels[0, 3:23, 3:23] = 0.49
    pixels[0, 5:15, 6:18] = 0.51
    for most in (255, 100):
        seg = make_volume(series, pixels, "FRACTIONAL", max_fractional_value=most)
        assert found_in(encode(seg), sent) == [(1, 0, [6, 5, 18, 15])]
    pixels[0, 5:15, 6:18] = 0.4
    seg = make_volume(series, pixels, "FRACTIONAL")
    with pytest.raises(AnnotationError, match="no marked pixel"):
        read_segments(encode(seg), sent)
    seg.MaximumFractionalValue = 0
    with pytest.raises(AnnotationError, match="MaximumFractionalValue"):
        read_segments(encode(seg), sent)


def test_frames_that_name_no_source_are_of_the_slice_whose_plane_is_theirs(
    series, sent, labels, make_volume, encode
):
    seg = make_volume(series, labels, "BINARY")
    for frame in seg.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    assert found_in(encode(seg), sent) == EXPECTED
    seg.FrameOfReferenceUID = generate_uid()
    with pytest.raises(AnnotationError, match="no frame derived"):
        read_segments(encode(seg), sent)


def test_frames_of_images_that_are_not_there_are_placed_by_their_plane(
    series, sent, labels, make_volume, encode
):
    """Their UIDs were rewritten, say; never in another frame of reference, nor in two slices."""
    seg = make_volume(series, labels, "BINARY")
    for frame in seg.PerFrameFunctionalGroupsSequence:
        for source in frame.DerivationImageSequence[0].SourceImageSequence:
            source.ReferencedSOPInstanceUID = generate_uid()
    assert found_in(encode(seg), sent) == EXPECTED
    assert {one.warnings for one in read_segments(encode(seg), sent)} == {(REFERENCE_BY_GEOMETRY,)}
    (part,) = read_segments(encode(seg), sent[:1], select="3")
    assert part.warnings == (REFERENCE_BY_GEOMETRY,)
    with pytest.raises(AnnotationError, match="in the plane of 2 of the slices sent"):
        read_segments(encode(seg), [sent[0], sent[0]])
    seg.FrameOfReferenceUID = generate_uid()
    with pytest.raises(AnnotationError, match="its frame of reference and plane"):
        read_segments(encode(seg), sent)


def test_slices_that_were_not_sent_are_remarked_on(series, sent, labels, make_volume, encode):
    data = encode(make_volume(series, labels, "BINARY"))
    assert {lesion.warnings for lesion in read_segments(data, sent)} == {()}
    assert {lesion.warnings for lesion in read_segments(data, sent[:2])} == {(SLICES_MISSING,)}
    assert {lesion.warnings for lesion in read_segments(data, sent[:1])} == {()}


@pytest.mark.parametrize(
    ("error", "changes"),
    [
        (AnnotationError, {"PixelSpacing": [0.9, 0.7]}),
        (AnnotationError, {"ImageOrientationPatient": [1, 0, 0, 0, -1, 0]}),
        (MaskSizeError, {"Rows": 74, "PixelData": bytes(2 * 74 * 45)}),
    ],
)
def test_refuses_slices_on_another_grid(series, labels, make_volume, encode, error, changes):
    data = encode(make_volume(series, labels, "BINARY"))
    for image in series:
        for keyword, value in changes.items():
            setattr(image, keyword, value)
    with pytest.raises(error):
        read_segments(data, places(series, encode))


def test_refuses_a_segment_of_specks(series, sent, make_volume, encode):
    pixels = np.zeros((3, *SHAPE), np.uint8)
    pixels[1, 5, 5] = 1
    with pytest.raises(OutlineTooSmallError):
        read_segments(encode(make_volume(series, pixels, "LABELMAP")), sent)


@pytest.mark.parametrize("cosines", [[1, 0, 0, 0, 0.94, -0.34202], [0.8, 0.6, 0, -0.36, 0.48, 0.8]])
def test_oblique_and_tilted_series(make_series, make_volume, labels, encode, cosines):
    images = make_series(3, shape=SHAPE, ImageOrientationPatient=cosines, step=7.5)
    for image in images:
        encode(image)
    data = encode(make_volume(images, labels, "BINARY"))
    assert found_in(data, places(images, encode)) == EXPECTED


def test_real_segments_on_a_real_series(shared_data):
    folder = shared_data("liver-seg")
    names = ("01.dcm", "02.dcm", "03.dcm")
    files = [(folder / name).read_bytes() for name in names]
    sent = [open_ct(data).places[0] for data in files]
    (liver,) = read_annotation((folder / "liver.dcm").read_bytes(), sent, select="Liver")
    seg = hd.seg.segread(folder / "liver.dcm")
    pixels = seg.get_pixels_by_source_instance(
        [place.identity.sop_instance_uid for place in sent], ignore_spatial_locations=True
    )
    assert liver.slice_index == int(pixels.sum(axis=(1, 2, 3)).argmax())
    overlaps = read_annotation((folder / "partial_overlaps.dcm").read_bytes(), sent)
    assert sorted({lesion.number for lesion in overlaps}) == [1, 2, 3, 4, 5]
