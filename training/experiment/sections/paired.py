"""Arms compared lesion by lesion and cohort by cohort, and how much would show a given gain.

The paper compares two runs on 182 lesions (78.6 % and 85.7 %) without a test.
"""

from typing import Any

import numpy as np

from training.experiment import reading
from training.experiment.sections import arms, cohorts
from training.experiment.store import Store
from training.experiment.study import Study
from training.statistics import paired, paper, power

#: What is compared: the better arm by the paper, and the worse.
PAIRS = (
    ("classic", "none"),
    ("synthetic", "classic"),
    ("synthetic, nested", "classic, nested"),
    ("synthetic, equal updates", "classic, equal updates"),
    ("new", "classic"),
    ("synthetic", "new"),
    ("acgan", "classic"),
    ("conditional", "classic"),
)
#: The paper's gain (Table 6), and one of the size that it calls an improvement (4.2.2).
_GAIN = paper.TABLE_6["CNN-AUG-GAN"].sensitivity - paper.TABLE_6["CNN-AUG"].sensitivity
GAINS = (round(_GAIN / 100, 3), paper.NEW_CASES_GAIN / 100)


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return every pair's difference, tests and power, on the protocol's folds and over cohorts."""
    named = arms.named(store, study)
    correct = {
        name: reading.predicted(store, named[name], study.truth) == study.truth.classes
        for pair in PAIRS
        for name in pair
        if name in named
    }
    pairs = [pair for pair in PAIRS if {*pair} <= correct.keys()]
    found = [_lesions(correct[arm], correct[other], study) for arm, other in pairs]
    adjusted = paired.holm(np.array([one["p"] for one in found]))
    return {
        "lesions": {
            f"{arm} - {other}": {**one, "p_holm": float(p)}
            for (arm, other), one, p in zip(pairs, found, adjusted, strict=True)
        },
        "cohorts": _cohorts(cohorts.accuracies(store, study)),
        "gains": list(GAINS),
    }


def _lesions(correct: np.ndarray, reference: np.ndarray, study: Study) -> dict[str, Any]:
    """Compare two arms [r, n]: McNemar's test is of the first repeat, as the paper has one."""
    test = paired.mcnemar(correct[0], reference[0])
    discordant = float((correct[0] != reference[0]).mean())
    each = correct.mean(axis=1) - reference.mean(axis=1)
    return {
        "difference": list(
            paired.bootstrap_difference(correct, reference, study.truth.patients, seed=0)
        ),
        "repeats": each.tolist(),
        "repeats_sd": float(each.std(ddof=1)) if len(each) > 1 else None,
        **test._asdict(),
        "discordant": discordant,
        # A gain needs at least as many lesions that change.
        "lesions_needed": [
            power.lesions_needed(gain, discordant=max(gain, discordant)) for gain in GAINS
        ],
    }


def _cohorts(accuracy: dict[str, np.ndarray]) -> dict[str, Any]:
    """Say how many cohorts would show a gain over the classic arm, by the spread that was found."""
    found = {}
    for name in ("synthetic", "recipe"):
        sd = float(np.std(accuracy[name] - accuracy["classic"], ddof=1))
        found[f"{name} - classic"] = {
            "sd": sd,
            "detectable": power.detectable(len(accuracy[name]), sd=sd) if sd else None,
            "cohorts_needed": [power.repeats_needed(gain, sd=sd) if sd else None for gain in GAINS],
        }
    return found
