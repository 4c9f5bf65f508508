"""Excerpts of bulky results: which lesions and which images they hold."""

import numpy as np
import pytest

from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.reproduction.tasks.sample import SAMPLE, Sample

IMAGES = np.arange(3 * 10).reshape(3, 10)


@pytest.mark.parametrize(
    ("rows", "kept"), [(4, [0, 1, 2, 3]), (-4, [6, 7, 8, 9]), (0, []), (-10, range(10))]
)
def test_takes_the_first_images_or_the_last(rows: int, kept) -> None:
    taken = EXCERPT.compute(Excerpt(("images", "classes"), rows), {
        "generator": {"images": IMAGES, "classes": np.arange(3), "more": np.zeros(9)},
    })  # fmt: skip
    assert set(taken) == {"images", "classes"}
    np.testing.assert_array_equal(taken["images"], IMAGES[:, list(kept)])
    np.testing.assert_array_equal(taken["classes"], np.arange(3))


def test_takes_lesions_and_their_first_variants() -> None:
    cohort = {"originals": np.arange(6) * 10, "variants": np.arange(24).reshape(6, 4)}
    taken = SAMPLE.compute(Sample((5, 2), 3), {"cohort": cohort})
    np.testing.assert_array_equal(taken["originals"], [50, 20])
    np.testing.assert_array_equal(taken["variants"], [[20, 21, 22], [8, 9, 10]])
