"""Arms compared lesion by lesion and cohort by cohort, and how much would show a given gain.

The paper compares two runs on 182 lesions (78.6 % and 85.7 %) without a test.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from training.data.folds import FOLDS
from training.data.splits import split_lesions
from training.evaluation import paired_tests, power
from training.evaluation.variance import spread
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.reproduction import paper, predictions
from training.reproduction.analyses import arms, cohorts
from training.reproduction.analysis import Analysis
from training.reproduction.report.sections import paired as report
from training.reproduction.setup import ExperimentSetup

#: What is compared: the better arm by the paper, and the worse.
PAIRS = (
    ("classic", "none"),
    ("gan", "classic"),
    ("gan, nested", "classic, nested"),
    ("gan, equal updates", "classic, equal updates"),
    ("new", "classic"),
    ("gan", "new"),
    ("acgan", "classic"),
    ("conditional", "classic"),
)
#: The paper's gain (Table 6), and one of the size that it calls an improvement (4.2.2).
_GAIN = paper.TABLE_6["CNN-AUG-GAN"].sensitivity - paper.TABLE_6["CNN-AUG"].sensitivity
GAINS = (round(_GAIN / 100, 3), paper.NEW_CASES_GAIN / 100)


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return every pair's difference, tests and power, on the protocol's folds and over cohorts."""
    named = arms.named(store, setup)
    correct = {
        name: predictions.predicted(store, named[name], setup.truth) == setup.truth.classes
        for pair in PAIRS
        for name in pair
        if name in named
    }
    pairs = [pair for pair in PAIRS if {*pair} <= correct.keys()]
    found = [_lesions(correct[arm], correct[other], setup) for arm, other in pairs]
    adjusted = paired_tests.holm(np.array([one["p"] for one in found]))
    return {
        "lesions": {
            f"{arm} - {other}": {**one, "p_holm": float(p)}
            for (arm, other), one, p in zip(pairs, found, adjusted, strict=True)
        },
        "repeats": repeated(correct, pairs, _folds(setup)) if len(setup.repeats) > 1 else None,
        "cohorts": _cohorts(cohorts.accuracies(store, setup)),
        "gains": list(GAINS),
    }


def _lesions(correct: np.ndarray, reference: np.ndarray, setup: ExperimentSetup) -> dict[str, Any]:
    """Compare two arms [r, n]: McNemar's test is of the first repeat, as the paper has one."""
    test = paired_tests.mcnemar(correct[0], reference[0])
    discordant = float((correct[0] != reference[0]).mean())
    each = correct.mean(axis=1) - reference.mean(axis=1)
    return {
        "difference": list(
            paired_tests.bootstrap_difference(correct, reference, setup.truth.patients, seed=0)
        ),
        "repeats": each.tolist(),
        **test._asdict(),
        "discordant": discordant,
        # A gain needs at least as many lesions that change.
        "lesions_needed": [
            power.lesions_needed(gain, discordant=max(gain, discordant)) for gain in GAINS
        ],
    }


def repeated(
    correct: Mapping[str, Bool[np.ndarray, "r n"]],
    pairs: Sequence[tuple[str, str]],
    folds: Int[np.ndarray, "r n"],
) -> dict[str, Any]:
    """Return how far repeats of an arm lie apart, and each pair's t test over repeats and folds.

    `folds` is the one that each repeat judges a lesion in. What differs is chance of training, and
    how lesions were dealt out to folds; the lesions stay the same.
    """
    gained = {
        (arm, other): np.array(
            [
                [row[fold == k].mean() for k in range(FOLDS)]
                for row, fold in zip(correct[arm] * 1.0 - correct[other], folds, strict=True)
            ]
        )
        for arm, other in pairs
    }
    return {
        "arms": {name: spread(right.mean(axis=1))._asdict() for name, right in correct.items()},
        "pairs": {
            f"{arm} - {other}": paired_tests.corrected_t(differences)._asdict()
            for (arm, other), differences in gained.items()
        },
    }


def _folds(setup: ExperimentSetup) -> np.ndarray:
    """Return the fold in which each repeat judges each lesion: [r, n]."""
    truth = setup.truth
    held_out = [
        [
            split_lesions(split, truth.classes, truth.patients, names=CLASSES)[1]
            for split in protocol.splits
        ]
        for protocol in setup.repeats
    ]
    return np.argmax(held_out, axis=1)


def _cohorts(accuracy: dict[str, np.ndarray]) -> dict[str, Any]:
    """Say how many cohorts would show a gain over the classic arm, by the spread that was found.

    On the same fresh lesions: what other lesions would change is not in it.
    """
    found = {}
    for name in ("gan", "conditional"):
        if name not in accuracy:
            continue
        sd = float(np.std(accuracy[name] - accuracy["classic"], ddof=1))
        found[f"{name} - classic"] = {
            "sd": sd,
            "detectable": power.detectable(len(accuracy[name]), sd=sd) if sd else None,
            "cohorts_needed": [power.repeats_needed(gain, sd=sd) if sd else None for gain in GAINS],
        }
    return found


ANALYSIS = Analysis(
    "paired",
    "paired comparisons and their power",
    results=results,
    evidence=arms.of_claims,
    sections=(report.section,),
)
