"""Whether synthetic images tell on whom their generator was trained: a membership inference attack.

The attacker holds the images alone and takes a lesion for a training lesion if one of them is near
(Chen et al. 2020, their full black box).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import mannwhitneyu

from training import seeds
from training.evaluation.image_quality import nearest_neighbours
from training.evaluation.metrics import Interval
from training.evaluation.rejection import false_positive_rate

FALSE_POSITIVES = 0.01
_RESAMPLES = 999

Scores = Float[np.ndarray, " _"]


class Membership(NamedTuple):
    """How well an attack tells members from others; 95 % intervals.

    `auc`: chance that a member scores higher than another lesion; .5 for a generator that keeps its
    training set to itself. `found`: members found at 1 % false positives (Carlini et al. 2022, who
    show that an average such as `auc` hides the few that leak); .01 for such a generator.
    """

    auc: Interval
    found: Interval


def scores(
    lesions: Float[np.ndarray, "n d"], synthetic: Float[np.ndarray, "m d"], *, nearest: int = 1
) -> Float[np.ndarray, " n"]:
    """Score lesions: minus the mean distance to the `nearest` synthetic images.

    In pixels or in features. Chen et al.'s calibrated attack is this score less that against images
    of a generator trained on others.
    """
    return -nearest_neighbours.distances(lesions, synthetic, nearest=nearest).mean(axis=1)


def infer(members: Sequence[Scores], others: Sequence[Scores], *, seed: int) -> Membership:
    """Judge an attack by the scores of training lesions and of held-out ones, cohort by cohort.

    Each cohort has a generator, and so a scale, of its own: scores are pooled in interquartile
    ranges from the median of its held-out lesions. The bootstrap draws whole cohorts, or lesions
    where there is but one. Below 100 held-out lesions in all, 1 % of them is none: then `found`
    allows no false positive. Raise `ValueError` for unequal numbers of cohorts or none.
    """
    if not len(members) == len(others) > 0:
        raise ValueError(f"found {len(members)} cohorts of members, {len(others)} of others")
    cohorts = [_on_one_scale(m, o) for m, o in zip(members, others, strict=True)]
    rng = seeds.generator(seed, "membership")
    drawn = np.array([_judge(_draw(cohorts, rng=rng)) for _ in range(_RESAMPLES)])
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    auc, found = _judge(cohorts)
    return Membership(
        Interval(auc, float(low[0]), float(high[0])), Interval(found, float(low[1]), float(high[1]))
    )


def _on_one_scale(members: Scores, others: Scores) -> tuple[Scores, Scores]:
    low, median, high = np.quantile(others, (0.25, 0.5, 0.75))
    scale = high - low if high > low else 1.0  # where all score the same, any scale will do
    return (members - median) / scale, (others - median) / scale


def _draw(
    cohorts: list[tuple[Scores, Scores]], *, rng: np.random.Generator
) -> list[tuple[Scores, Scores]]:
    if len(cohorts) > 1:
        return [cohorts[i] for i in rng.integers(len(cohorts), size=len(cohorts))]
    members, others = cohorts[0]
    return [(rng.choice(members, len(members)), rng.choice(others, len(others)))]


def _judge(cohorts: list[tuple[Scores, Scores]]) -> tuple[float, float]:
    members, others = (np.concatenate(part) for part in zip(*cohorts, strict=True))
    missed = false_positive_rate(others, members, recall=1 - FALSE_POSITIVES)
    above = mannwhitneyu(members, others, method="asymptotic").statistic
    return float(above) / (len(members) * len(others)), 1 - missed.value
