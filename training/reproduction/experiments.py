"""Run the paper's experiments in three stages, and put their results together.

    1  the red curve, and its inner folds            -> the best classic group
    2  the blue and green curves on top of it        -> the best synthetic group
    3  everything at the best groups: rivals, controls, the cohort-level test ...

Every stage finds what is there and computes the rest, so a run that was cut goes on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from lesion.errors import RunError
from training.evaluation.metrics import Interval
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import provenance
from training.reproduction import selection as select
from training.reproduction.analyses import (
    arms,
    beyond,
    cohorts,
    controls,
    curves,
    deployment,
    diversity,
    gallery,
    paired,
    quality,
    readers,
    seeds,
    separation,
)
from training.reproduction.analyses import baselines as rivals
from training.reproduction.analyses import best_arms as detail
from training.reproduction.analyses import feature_extractor as extractor
from training.reproduction.analyses import nested_selection as nested
from training.reproduction.claims.verdicts import Judgement, in_words, judge
from training.reproduction.predictions import Truth
from training.reproduction.presets import Experiment
from training.reproduction.protocol import Trial
from training.reproduction.provenance import Noting
from training.reproduction.setup import Study
from training.reproduction.tasks.cohort import Phantom, phantom
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt

#: The seed of the phantom's 78 new cases (paper 4.2.2).
NEW_SEED = 40_001

#: What is read once all is computed, by its name in `results.json`.
SECTIONS = {
    "curves": curves,
    "nested": nested,
    "rivals": rivals,
    "controls": controls,
    "readers": readers,
    "separation": separation,
    "quality": quality,
    "diversity": diversity,
    "deployment": deployment,
    "cohorts": cohorts,
    "beyond": beyond,
    "paired": paired,
    "seeds": seeds,
}

#: Computes cells into the store: `compute("stage", cells)`.
Compute = Callable[[str, Iterable[Cell]], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found: plain numbers by section, and the arrays that only pictures need."""

    results: dict[str, Any]
    arrays: dict[str, np.ndarray]


def trials(experiment: Experiment, cohort: Cell, *, seed: int) -> tuple[Trial, ...]:
    """Name the repeats: each has its own folds and seeds."""
    return tuple(Trial(experiment, cohort, seed + repeat) for repeat in range(experiment.repeats))


def run(
    experiment: Experiment, cohort: Cell, store: Store, *, seed: int, compute: Compute
) -> Found:
    """Run everything and return what was found.

    Raise `RunError` where the cohort's seed is one that further lesions are drawn with.
    """
    _check_seed(experiment, cohort)
    study = _choose(trials(experiment, cohort, seed=seed), store, compute=compute)
    compute("all arms", cells(study))
    by = {name: Noting(store.folder) for name in (*SECTIONS, "claims", "pictures")}
    results: dict[str, Any] = {
        "run": provenance.describe(experiment, cohort, study.truth, seed=seed),
        "chosen": {"classic": study.classic, "synthetic": study.synthetic},
    }
    results |= {name: section.results(by[name], study) for name, section in SECTIONS.items()}
    results["claims"] = [
        _claim(one, simulated=study.simulated) for one in judge(_evidence(by["claims"], study))
    ]
    arrays = gallery.arrays(by["pictures"], study) | separation.maps(by["pictures"], study)
    results["run"] |= provenance.behind(by)
    return Found(results, arrays)


def _check_seed(experiment: Experiment, cohort: Cell) -> None:
    """Refuse a phantom whose patients would be those of the fresh lesions, or of new cases."""
    test = experiment.cohorts
    taken = {NEW_SEED, test.ceiling_seed, test.fresh_seed, *test.seeds}
    if isinstance(cohort.config, Phantom) and cohort.config.seed in taken:
        raise RunError(f"found seed {cohort.config.seed}, with which other lesions are drawn")


def _choose(repeats: tuple[Trial, ...], store: Store, *, compute: Compute) -> Study:
    """Run the curves and choose the best groups, stage by stage."""
    experiment, cohort = repeats[0].experiment, repeats[0].cohort
    known = Excerpt(("classes", "patient_ids"))
    table = Cell(EXCERPT, known, {"cohort": cohort}, label="the cohort's table")
    folds = [(trial, fold) for trial in repeats for fold in trial.splits]
    nests = folds if experiment.inner_folds else []
    further = cohorts.trials(experiment)

    red = curves.classic(repeats)
    inner = {fold: nested.classic(trial, fold) for trial, fold in nests}
    other = {trial: cohorts.classic_groups(trial) for trial in further}
    compute("classic groups", [table, *curves.of(red), *_of(inner), *_compared(other)])
    truth = Truth(*(np.asarray(store.load(table)[name]) for name in known.arrays))
    classic = curves.best(store, red, truth)
    own = {fold: select.on_inner(store, groups, truth.classes) for fold, groups in inner.items()}
    best = {trial: cohorts.choose(store, trial, groups) for trial, groups in other.items()}

    new = phantom(Phantom(NEW_SEED, experiment.new, experiment.augmentation), "new cases")
    blue = {kind: curves.synthetic(repeats, kind, best=classic) for kind in curves.KINDS}
    drawn = map(curves.of, (*blue.values(), curves.new(repeats, new, best=classic)))
    inner = {fold: nested.synthetic(trial, fold, best=own[fold]) for trial, fold in nests}
    other = {trial: cohorts.synthetic_groups(trial, best=best[trial]) for trial in further}
    compute("synthetic groups", [*chain.from_iterable(drawn), *_of(inner), *_compared(other)])
    return Study(
        repeats,
        truth,
        new,
        classic,
        curves.best(store, blue["dcgan"], truth),
        {
            fold: (own[fold], select.on_inner(store, groups, truth.classes))
            for fold, groups in inner.items()
        },
        {
            trial.seed: (best[trial], cohorts.choose(store, trial, groups))
            for trial, groups in other.items()
        },
    )


def cells(study: Study) -> Iterable[Cell]:
    """Yield everything at the best groups."""
    return chain(
        curves.cells(curves.discriminators(study)),
        *(
            section.cells(study)
            for section in (rivals, controls, nested, seeds, deployment, detail, extractor, readers)
        ),
        cohorts.cells(study),
        beyond.cells(study),
        quality.cells(study),
        gallery.cells(study),
    )


def _evidence(store: Store, study: Study) -> dict[str, Interval]:
    """Return the evidence for the paper's claims, of every section that has some.

    What simulated lesions beside a site's own cohort show is no evidence for that cohort.
    """
    found = arms.of_claims(store, study) | readers.evidence(store, study)
    found |= separation.evidence(store, study)
    if study.simulated:
        found |= diversity.evidence(store, study) | cohorts.evidence(store, study)
    return found


def _claim(judgement: Judgement, *, simulated: bool) -> dict[str, Any]:
    """Put a verdict, its rule and its evidence in plain words and numbers."""
    claim = judgement.claim
    return {
        "id": claim.id,
        "text": claim.text,
        "where": claim.where,
        "rule": claim.rule.words,
        "verdict": in_words(judgement.verdict, simulated=simulated),
        "findings": [
            {
                "key": finding.comparison.key,
                "meaning": finding.comparison.meaning,
                "paper": finding.comparison.paper,
                "ours": None if finding.ours is None else list(finding.ours),
                "verdict": in_words(finding.verdict, simulated=simulated),
                "size": finding.size,
            }
            for finding in judgement.findings
        ],
    }


def _compared(groups: dict[Trial, dict[int, list[Cell]]]) -> Iterable[Cell]:
    return chain.from_iterable(cohorts.to_compare(trial, of) for trial, of in groups.items())


def _of(nests: dict[Any, dict[int, list[Cell]]]) -> Iterable[Cell]:
    return chain.from_iterable(cells for groups in nests.values() for cells in groups.values())
