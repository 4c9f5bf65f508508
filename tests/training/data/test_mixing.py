"""Images made of a few lesions without a network: whose pixels they are, and that they are new."""

import numpy as np
import pytest

from lesion.errors import RunError
from lesion.roi import MARGIN
from training.data import mixing

PATIENTS = np.array(["a", "a", "b", "c"])


def flat(*values):
    """Patches of one HU each."""
    return np.stack([np.full((64, 64), value, dtype=np.float32) for value in values])


def test_a_blend_lies_between_two_lesions_of_two_patients():
    # Only a's two lesions have values of 0 and 1: without b or c nothing lies above 1.
    hu = flat(0, 1, 100, 200)
    mixed = mixing.mixup(hu, PATIENTS, count=300, rng=np.random.default_rng(0))
    assert mixed.shape == (300, 64, 64)
    assert np.ptp(mixed, axis=(1, 2)).max() == 0
    values = mixed[:, 0, 0]
    assert 0 <= values.min() < 20
    assert 150 < values.max() <= 200
    assert np.mean(values <= 1) < 0.05


def test_a_blend_needs_two_patients():
    with pytest.raises(RunError, match="found 1 patients, expected two or more"):
        mixing.mixup(flat(0, 1), PATIENTS[:2], count=1, rng=np.random.default_rng(0))


def test_another_scanner_shifts_and_roughens_a_patch_within_its_bounds():
    hu = np.zeros((400, 64, 64), dtype=np.float32)
    hu[:, :, 32:] = 100
    shown = mixing.augment_scanner(hu, rng=np.random.default_rng(0))
    dark, bright = shown[:, :, :24], shown[:, :, 40:]
    offset = dark.mean(axis=(1, 2))
    assert offset.std() == pytest.approx(mixing.OFFSET_HU, rel=0.15)
    assert bright.mean() - dark.mean() == pytest.approx(100, abs=1)
    noise = dark.std(axis=(1, 2))
    assert noise.min() < 1
    assert 0.9 * mixing.NOISE_HU < noise.max() < 1.2 * mixing.NOISE_HU


def test_a_bent_patch_has_its_pixels_elsewhere_and_no_new_ones():
    disc = np.hypot(*(np.mgrid[:64, :64] - 31.5)) < 20
    hu = np.repeat(np.where(disc, 20.0, 100.0).astype(np.float32)[None], 200, axis=0)
    bent = mixing.deform(hu, rng=np.random.default_rng(0))
    moved = (bent < 60) != disc
    share = moved.sum(axis=(1, 2)) / disc.sum()
    assert share.min() > 0.02
    assert share.max() < 0.5
    far = np.abs(np.hypot(*(np.mgrid[:64, :64] - 31.5)) - 20) > 5 * mixing.BEND_PX
    assert not moved[:, far].any()
    assert bent[:, far].min() > 0  # a cubic spline overshoots next to an edge alone
    assert np.ptp(bent, axis=0).max() > 60  # no two alike


def test_a_transplant_is_the_lesion_inside_and_the_host_outside_at_the_hosts_level():
    radius = 32 / (1 + 2 * MARGIN)
    y, x = np.mgrid[:64, :64] - 31.5
    inside = np.hypot(x, y) < radius
    lesion = np.where(inside, 20.0, 100.0).astype(np.float32)[None]
    put = mixing.transfer_background(
        lesion,
        np.array(["a"]),
        into=flat(-999, 130),
        hosts=np.array(["a", "b"]),
        count=5,
        rng=np.random.default_rng(0),
    )
    # Never into its own patient; 30 HU brighter surroundings make the lesion 30 HU brighter.
    assert put[:, 32, 32] == pytest.approx(50, abs=0.1)
    assert put[:, 0, 0] == pytest.approx(130, abs=0.1)
    assert put.min() > 49
    assert put.max() < 131


def test_transplants_are_turned_at_random():
    rng = np.random.default_rng(1)
    lesion = rng.normal(size=(1, 64, 64)).astype(np.float32)
    put = mixing.transfer_background(
        lesion, np.array(["a"]), into=flat(0), hosts=np.array(["b"]), count=64, rng=rng
    )
    centre = np.abs(put[:, None, 20:44, 20:44] - put[None, :, 20:44, 20:44]).max(axis=(2, 3))
    different = len(np.unique((centre > 1e-4) @ np.arange(64.0)))
    assert different == 8
