import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.augment import Augmentation, draw


def test_the_paper_has_480_augmentations_a_lesion():
    assert Augmentation().count == 480


@given(
    rotations=st.integers(1, 4),
    translations=st.integers(0, 3),
    scales=st.integers(0, 3),
    diameter_px=st.floats(5, 200),
)
def test_draws_as_many_as_it_counts_within_the_papers_ranges(
    rotations, translations, scales, diameter_px
):
    augmentation = Augmentation(rotations, translations, scales)
    drawn = draw(augmentation, diameter_px=diameter_px, rng=np.random.default_rng(0))
    assert len(drawn) == augmentation.count
    assert all(0 <= v.rotation_deg < 180 for v in drawn)
    assert all(max(map(abs, v.shift_px)) <= min(4, 0.1 * diameter_px) for v in drawn)
    assert all(v.zoom_out == 0 or 0.1 <= v.zoom_out <= 0.4 for v in drawn)


def test_each_rotation_is_kept_flipped_shifted_and_zoomed():
    drawn = draw(Augmentation(1, 7, 5), diameter_px=50, rng=np.random.default_rng(0))
    assert len({v.rotation_deg for v in drawn}) == 1
    assert {(v.flip_x, v.flip_y) for v in drawn} == {
        (False, False),
        (True, False),
        (False, True),
        (True, True),
    }
    assert sum(v.shift_px != (0, 0) for v in drawn) == 7
    assert sum(v.zoom_out > 0 for v in drawn) == 5


@pytest.mark.parametrize("seed", [0, 1])
def test_is_a_function_of_its_generator(seed):
    first, second = (
        draw(Augmentation(), diameter_px=50, rng=np.random.default_rng(seed)) for _ in range(2)
    )
    assert first == second
