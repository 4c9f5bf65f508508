"""What a network sees in training is what it sees in service: the same DICOM through both."""

import csv
import json

import numpy as np
import pytest

from lesion.image.frames import decode_frame
from lesion.roi import MARGIN
from service.metrics import Metrics
from service.options import Options
from service.parse import Order
from service.prepare import prepare
from service.settings import Settings
from training.data import cohort, patches
from training.data.augment import Augmentation


@pytest.fixture
def folder(tmp_path, make_ct, make_seg, encode):
    """A cohort of two lesions, on a slice of anisotropic pixels."""
    rows, cols = np.mgrid[:128, :112]
    large = np.hypot((rows - 60) / 1.3, cols - 50) < 17
    small = np.hypot((rows - 100) / 1.3, cols - 90) < 9
    hu = np.where(large | small, 30, 110) + np.random.default_rng(0).normal(0, 12, large.shape)
    ct = make_ct(hu.round(), PixelSpacing=[0.6, 0.75])
    (tmp_path / "ct.dcm").write_bytes(encode(ct))
    (tmp_path / "seg.dcm").write_bytes(encode(make_seg(ct, [(1, large), (2, small)])))
    lesions = [
        ["A-1", "A", "metastasis", "ct.dcm", "seg.dcm", "1", "26.5", "biopsy"],
        ["A-2", "A", "cyst", "ct.dcm", "seg.dcm", "2", "14", "biopsy"],
    ]
    with (tmp_path / "cohort.csv").open("w", newline="") as file:
        csv.writer(file).writerows([cohort.COLUMNS, *lesions])
    card = {"name": "one", "simulated": True, "classes": [{"name": "cyst"}, {"name": "metastasis"}]}
    (tmp_path / "cohort.json").write_text(json.dumps(card))
    return tmp_path


def test_the_services_patch_is_the_training_original_bit_for_bit(folder, tmp_path):
    patches.cut_cohort(
        cohort.read(folder), tmp_path / "cut", augmentation=Augmentation(1, 1, 1), seed=0
    )
    trained = patches.load(tmp_path / "cut").originals
    order = Order(
        image=(folder / "ct.dcm").read_bytes(),
        image_format="dicom",
        mask=None,
        annotation=(folder / "seg.dcm").read_bytes(),
        options=Options(),
    )
    prepared = prepare(
        order, margin=MARGIN, settings=Settings(), metrics=Metrics(), decode=decode_frame
    )
    assert len(prepared.lesions) == len(trained) == 2
    for served, original in zip(prepared.lesions, trained, strict=True):
        assert np.array_equal(served.patch_hu, original)
        assert original.std() > 20
