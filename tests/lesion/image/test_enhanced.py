"""A multi-frame CT image is read, frame by frame, to the Hounsfield unit."""

import highdicom as hd
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import get_encoder
from pydicom.uid import (
    EnhancedCTImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    LegacyConvertedEnhancedCTImageStorage,
    RLELossless,
    generate_uid,
)

from lesion.errors import (
    LocalizerError,
    MultiFrameError,
    NotCTError,
    RescaleError,
    SpacingError,
    TooLargeError,
    UnreadableImageError,
)
from lesion.image.dicom import open_ct, read_ct

SHAPE = (40, 50)
STORED = np.random.default_rng(3).integers(0, 4096, (4, *SHAPE)).astype("<u2")


def item(**attributes):
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


@pytest.fixture
def make_enhanced(make_ct):
    """Build an Enhanced CT image: rescale and plane of each frame, spacing shared."""

    def make(stored=STORED, **attributes):
        made = make_ct(np.zeros(SHAPE))
        for keyword in (
            "RescaleSlope",
            "RescaleIntercept",
            "RescaleType",
            "PixelSpacing",
            "ImagePositionPatient",
            "ImageOrientationPatient",
        ):
            delattr(made, keyword)
        made.SOPClassUID = EnhancedCTImageStorage
        made.NumberOfFrames = len(stored)
        made.SharedFunctionalGroupsSequence = [
            item(
                PixelMeasuresSequence=[item(PixelSpacing=[0.8, 0.7])],
                PlaneOrientationSequence=[item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])],
                CTImageFrameTypeSequence=[item(FrameType=["ORIGINAL", "PRIMARY", "AXIAL"])],
            )
        ]
        made.PerFrameFunctionalGroupsSequence = [
            item(
                PlanePositionSequence=[item(ImagePositionPatient=[-20, -18, 5.0 * at])],
                PixelValueTransformationSequence=[
                    item(RescaleSlope=1 + at, RescaleIntercept=-1024 + at, RescaleType="HU")
                ],
            )
            for at in range(len(stored))
        ]
        made.PixelData = stored.tobytes()
        for keyword, value in attributes.items():
            setattr(made, keyword, value)
        return made

    return make


def _compressed(made, syntax, *, offsets="basic"):
    encoder = get_encoder(syntax)
    frames = [
        encoder.encode(
            frame,
            rows=SHAPE[0],
            columns=SHAPE[1],
            samples_per_pixel=1,
            photometric_interpretation="MONOCHROME2",
            bits_allocated=16,
            bits_stored=12,
            pixel_representation=0,
            number_of_frames=1,
            encoding_plugin="pyjpegls" if syntax == JPEGLSLossless else "pylibjpeg",
        )
        for frame in STORED
    ]
    made.PixelData = encapsulate(frames, has_bot=offsets == "basic")
    if offsets == "extended":
        lengths = np.array([len(frame) + len(frame) % 2 for frame in frames], "<u8")
        starts = np.concatenate([[0], np.cumsum(lengths + 8)[:-1]]).astype("<u8")
        made.ExtendedOffsetTable = starts.tobytes()
        made.ExtendedOffsetTableLengths = lengths.tobytes()
    made["PixelData"].is_undefined_length = True
    return made


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless, JPEGLSLossless]
)
@pytest.mark.parametrize("offsets", ["basic", "extended", "none"])
def test_every_frame_to_the_hounsfield_unit(make_enhanced, encode, syntax, offsets):
    made = make_enhanced()
    if syntax != ExplicitVRLittleEndian:
        made = _compressed(made, syntax, offsets=offsets)
    data = encode(made, syntax)
    for at, stored in enumerate(STORED):
        ct = read_ct(data, frame=at + 1)
        np.testing.assert_array_equal(ct.hu, stored * (1.0 + at) - 1024 + at)
        assert ct.identity.frame_number == at + 1
        assert ct.identity.sop_class_uid == EnhancedCTImageStorage
        assert ct.plane.position_mm == (-20.0, -18.0, 5.0 * at)
        assert ct.spacing_mm == (0.8, 0.7)


def test_what_highdicom_converts_is_read_as_the_slices_were(make_ct, encode):
    """An independent writer of functional groups: legacy converted, from single-frame images."""
    uids = {
        keyword: generate_uid()
        for keyword in ("SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
    }
    images = [
        make_ct(
            np.full(SHAPE, 100.0 * at),
            **uids,
            ImagePositionPatient=[-20, -18, 5.0 * at],
            InstanceNumber=at + 1,
            SpecificCharacterSet="ISO_IR 100",
        )
        for at in range(3)
    ]
    for image in images:
        encode(image)
    made = hd.legacy.LegacyConvertedEnhancedCTImage(images, generate_uid(), 1, generate_uid(), 1)
    data = encode(made)
    opened = open_ct(data)
    assert opened.places[0].identity.sop_class_uid == LegacyConvertedEnhancedCTImageStorage
    seen = {
        place.plane.position_mm[2]: read_ct(data, frame=at + 1).hu.mean()
        for at, place in enumerate(opened.places)
    }
    assert seen == {0.0: 0.0, 5.0: 100.0, 10.0: 200.0}


@pytest.mark.parametrize("frame", [None, 0, 5, 999_999])
def test_refuses_a_frame_that_is_not_there_or_not_chosen(make_enhanced, encode, frame):
    with pytest.raises(MultiFrameError, match="expected one of 1 to 4"):
        read_ct(encode(make_enhanced()), frame=frame)


def test_the_only_frame_needs_no_choice(make_enhanced, encode):
    ct = read_ct(encode(make_enhanced(STORED[:1])))
    np.testing.assert_array_equal(ct.hu, STORED[0] - 1024.0)


def _without(sequence, frame=None):
    def change(made):
        groups = (
            made.SharedFunctionalGroupsSequence[0]
            if frame is None
            else made.PerFrameFunctionalGroupsSequence[frame]
        )
        delattr(groups, sequence)

    return change


def _set(sequence, keyword, value):
    def change(made):
        setattr(made.PerFrameFunctionalGroupsSequence[1][sequence][0], keyword, value)

    return change


def _frame_type(made):
    made.PerFrameFunctionalGroupsSequence[1].CTImageFrameTypeSequence = [
        item(FrameType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    ]


TRANSFORM = "PixelValueTransformationSequence"


@pytest.mark.parametrize(
    ("error", "change"),
    [
        (RescaleError, _without(TRANSFORM, 1)),
        (RescaleError, _set(TRANSFORM, "RescaleType", "HU_MOD")),
        (RescaleError, _set(TRANSFORM, "RescaleSlope", 0)),
        (SpacingError, _without("PixelMeasuresSequence")),
        (LocalizerError, _frame_type),
        (MultiFrameError, lambda made: setattr(made, "NumberOfFrames", 3)),
        (MultiFrameError, lambda made: delattr(made, "PerFrameFunctionalGroupsSequence")),
        (NotCTError, lambda made: setattr(made, "Modality", "PT")),
        (UnreadableImageError, lambda made: setattr(made, "PixelData", STORED[:3].tobytes())),
    ],
)
def test_refuses_a_frame_that_does_not_say_what_it_holds(make_enhanced, encode, error, change):
    made = make_enhanced()
    change(made)
    with pytest.raises(error):
        read_ct(encode(made), frame=2)


def test_a_frame_without_rescale_does_not_spoil_the_others(make_enhanced, encode):
    made = make_enhanced()
    _without(TRANSFORM, 1)(made)
    assert read_ct(encode(made), frame=1).hu.shape == SHAPE


def test_padding_holds_in_every_frame(make_enhanced, encode):
    stored = STORED.copy()
    stored[2, :4] = 0
    ct = read_ct(encode(make_enhanced(stored, PixelPaddingValue=0)), frame=3)
    assert ct.padding[:4].all()
    assert (ct.hu[:4] == -1000).all()


def test_more_frames_than_any_scan_has_are_refused(make_enhanced, encode, monkeypatch):
    monkeypatch.setattr("lesion.image.dicom.MOST_FRAMES", 3)
    with pytest.raises(TooLargeError, match="found 4 frames"):
        open_ct(encode(make_enhanced()))
