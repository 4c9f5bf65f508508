"""docs/cohort.md says how many lesions each preset's groups of augmentations need."""

import re
from itertools import count
from pathlib import Path

from training.data.folds import FOLDS
from training.presets import (
    PAPER_BUNDLE,
    PAPER_GRID,
    QUICK_BUNDLE,
    QUICK_GRID,
    RELEASE_BUNDLE,
)

TEXT = Path(__file__).parents[2].joinpath("docs/cohort.md").read_text(encoding="utf-8")


def smallest(per_fold, augmentation):
    """So many lesions have the augmentations that the group takes, equally many of each."""
    return next(n for n in count(1) if round(per_fold * FOLDS / n) <= augmentation.count)


def test_the_smallest_cohorts_are_as_documented():
    (sentence,) = re.findall(r"with fewer\s+lesions than (.+?)\.\n", TEXT, flags=re.DOTALL)
    told = [int(number) for number in re.findall(r"\d+", sentence)]
    bundles = (QUICK_BUNDLE, RELEASE_BUNDLE, PAPER_BUNDLE)
    trained = [smallest(one.classic_per_fold, one.augmentation) for one in bundles]
    assert trained[1] == trained[2]
    grids = [smallest(max(one.classic), one.augmentation) for one in (QUICK_GRID, PAPER_GRID)]
    assert told == [*trained[:2], *grids]
