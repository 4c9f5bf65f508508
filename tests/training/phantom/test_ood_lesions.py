from functools import cache

import numpy as np
import pytest

from lesion.outline import DIAMETER_RANGE_MM
from lesion.roi import PATCH_SIZE, cut
from scripts.phantom_page.measure import rings
from training.phantom.classes import CLASSES
from training.phantom.ood_lesions import GENERATOR, KINDS, Kind, OodLesion, draw

EACH = 5


@cache
def drawn(kind: Kind) -> tuple[OodLesion, ...]:
    return tuple(draw(1, kind, index) for index in range(EACH))


def patches(kind: Kind) -> list[np.ndarray]:
    return [cut(one.ct.hu, one.ct.spacing_mm or (1.0, 1.0), one.outline) for one in drawn(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_neighbour_is_a_slice_with_an_outline(kind: Kind) -> None:
    smallest, largest = DIAMETER_RANGE_MM
    for one, patch in zip(drawn(kind), patches(kind), strict=True):
        assert one.kind == kind
        assert one.ct.hu.shape == (512, 512)
        assert one.ct.hu.dtype == np.float32
        np.testing.assert_array_equal(one.ct.hu, np.rint(one.ct.hu))
        assert smallest <= one.outline.diameter_mm(one.ct.spacing_mm or (1.0, 1.0)) <= largest
        assert patch.shape == (PATCH_SIZE, PATCH_SIZE)
        assert np.isfinite(patch).all()


def test_only_lesions_of_another_phase_have_a_class() -> None:
    for kind in ("unenhanced", "arterial"):
        assert {one.lesion_class for one in drawn(kind)} <= set(CLASSES)
        assert len({one.lesion_class for one in drawn(kind)}) > 1
    for kind in ("hcc", "fnh", "abscess", "normal"):
        assert {one.lesion_class for one in drawn(kind)} == {None}


@pytest.mark.parametrize("kind", ["hcc", "arterial"])
def test_a_neighbour_is_the_same_whatever_else_is_drawn(kind: Kind) -> None:
    again = draw(1, kind, 2)
    np.testing.assert_array_equal(again.ct.hu, drawn(kind)[2].ct.hu)
    assert again.outline.centre_px == drawn(kind)[2].outline.centre_px


def test_seed_kind_and_index_each_make_another_picture() -> None:
    one = drawn("hcc")[0]
    for other in (draw(2, "hcc", 0), drawn("hcc")[1], drawn("fnh")[0]):
        assert not np.array_equal(one.ct.hu, other.ct.hu)


def test_in_its_patch_each_kind_is_what_it_is() -> None:
    centre, rim = {}, {}
    for kind in KINDS:
        centre[kind], rim[kind] = np.median([rings(patch) for patch in patches(kind)], axis=0)
    assert abs(centre["normal"]) < 8
    assert abs(rim["normal"]) < 8
    assert -40 < centre["hcc"] < -3
    assert rim["hcc"] > centre["hcc"] + 5
    assert abs(rim["fnh"]) < 25
    assert centre["abscess"] < -15
    assert rim["abscess"] > centre["abscess"] + 30
    assert centre["unenhanced"] < -4


def test_the_liver_is_darker_before_it_has_enhanced() -> None:
    brightness = {
        kind: np.median([np.median(patch) for patch in patches(kind)])
        for kind in ("unenhanced", "arterial", "normal")
    }
    assert brightness["unenhanced"] < brightness["arterial"] < brightness["normal"] - 10


def test_the_generator_draws_what_it_drew() -> None:
    """Where it fails on purpose, count `GENERATOR` up."""
    assert GENERATOR == 1
    found = {kind: round(float(drawn(kind)[0].ct.hu.mean()), 2) for kind in KINDS}
    assert found == pytest.approx(
        {
            "hcc": -501.14,
            "fnh": -429.71,
            "abscess": -509.91,
            "normal": -542.09,
            "unenhanced": -537.36,
            "arterial": -528.36,
        },
        abs=0.01,
    )
