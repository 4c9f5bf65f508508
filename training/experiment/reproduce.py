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

from training.baselines import METHODS
from training.experiment import reading
from training.experiment.cell import Cell
from training.experiment.presets import Experiment
from training.experiment.reading import Arm, Truth
from training.experiment.sections import (
    cohorts,
    controls,
    curves,
    deployment,
    evidence,
    nested,
    rivals,
)
from training.experiment.splits import Split
from training.experiment.store import Store
from training.experiment.trial import Trial
from training.experiment.trial import rivals as rivals_of
from training.experiment.work.cohort import Phantom, phantom
from training.experiment.work.excerpt import EXCERPT, Excerpt
from training.metrics import Interval
from training.statistics.verdicts import Judgement, judge

#: The seed of the phantom's 78 new cases (paper 4.2.2).
NEW_SEED = 40_001

#: Computes cells into the store: `compute("stage", cells)`.
Compute = Callable[[str, Iterable[Cell]], None]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The best groups: on the reported folds, as the paper chose; and each fold's by nesting."""

    classic: int
    synthetic: int
    nested: dict[Split, tuple[int, int]]

    @property
    def best(self) -> tuple[int, int]:
        """The paper's choice."""
        return self.classic, self.synthetic


def trials(experiment: Experiment, cohort: Cell, *, seed: int) -> tuple[Trial, ...]:
    """Name the repeats: each has its own folds and seeds."""
    return tuple(Trial(experiment, cohort, seed + repeat) for repeat in range(experiment.repeats))


def run(
    experiment: Experiment, cohort: Cell, store: Store, *, seed: int, compute: Compute
) -> dict[str, Any]:
    """Run everything and return the results, plain numbers by section."""
    repeats = trials(experiment, cohort, seed=seed)
    known = Cell(
        EXCERPT, Excerpt(("classes", "patient_ids", "lesion_ids", "diameter_mm")),
        {"cohort": cohort}, label="the cohort's table",
    )  # fmt: skip
    compute("cohort", [known])
    table = store.load(known)
    truth = Truth(np.asarray(table["classes"]), np.asarray(table["patient_ids"]))

    chosen = _choose(repeats, store, truth, compute=compute)
    compute(
        "all arms",
        chain(
            curves.cells(curves.discriminators(repeats, best=chosen.classic)),
            rivals.cells(repeats),
            controls.cells(repeats, best=chosen.best),
            nested.cells(repeats, chosen.nested),
            deployment.cells(repeats[0], best=chosen.best),
            cohorts.cells(experiment),
        ),
    )
    return _results(repeats, store, truth, chosen)


def _choose(repeats: tuple[Trial, ...], store: Store, truth: Truth, *, compute: Compute) -> Chosen:
    """Run the curves and choose the best groups, stage by stage."""
    folds = [(trial, fold) for trial in repeats for fold in trial.splits]
    nests = folds if repeats[0].experiment.inner_folds else []
    red = curves.classic(repeats)
    inner = {fold: nested.classic(trial, fold) for trial, fold in nests}
    compute("classic groups", chain(curves.of(red), *(_of(groups) for groups in inner.values())))
    classic = curves.best(store, red, truth)
    own = {fold: nested.chosen(store, groups, truth) for fold, groups in inner.items()}

    more = {fold: nested.synthetic(trial, fold, best=own[fold]) for trial, fold in nests}
    compute(
        "synthetic groups",
        chain(
            *(curves.of(curves.synthetic(repeats, kind, best=classic)) for kind in curves.KINDS),
            curves.of(curves.new(repeats, _new(repeats[0].experiment), best=classic)),
            *(_of(groups) for groups in more.values()),
        ),
    )
    blue = curves.synthetic(repeats, "dcgan", best=classic)
    choices = {
        fold: (own[fold], nested.chosen(store, groups, truth)) for fold, groups in more.items()
    }
    return Chosen(classic, curves.best(store, blue, truth), choices)


def _results(
    repeats: tuple[Trial, ...], store: Store, truth: Truth, chosen: Chosen
) -> dict[str, Any]:
    experiment = repeats[0].experiment
    found = {
        "chosen": {"classic": chosen.classic, "synthetic": chosen.synthetic},
        "curves": {
            name: curves.results(store, curve, truth)
            for name, curve in _curves(repeats, chosen.classic).items()
        },
        "nested": nested.results(store, repeats, chosen.nested, truth) if chosen.nested else None,
        "rivals": rivals.results(store, repeats, truth),
        "controls": controls.results(store, repeats, truth, best=chosen.best),
        "acgan_discriminator": reading.judged(
            store, curves.discriminators(repeats, best=chosen.classic), truth
        ),
        "deployment": deployment.results(store, repeats[0], truth, best=chosen.best),
        "cohorts": cohorts.results(store, experiment),
    }
    known = _evidence(repeats, store, truth, chosen) | cohorts.evidence(store, experiment)
    return found | {"claims": [_claim(judgement) for judgement in judge(known)]}


def _claim(judgement: Judgement) -> dict[str, Any]:
    """Put a verdict, its rule and its evidence in plain words and numbers."""
    claim = judgement.claim
    return {
        "id": claim.id,
        "text": claim.text,
        "where": claim.where,
        "rule": claim.rule.words,
        "verdict": judgement.verdict,
        "findings": [
            {
                "key": finding.comparison.key,
                "meaning": finding.comparison.meaning,
                "paper": finding.comparison.paper,
                "ours": None if finding.ours is None else list(finding.ours),
                "verdict": finding.verdict,
                "size": finding.size,
            }
            for finding in judgement.findings
        ],
    }


def _evidence(
    repeats: tuple[Trial, ...], store: Store, truth: Truth, chosen: Chosen
) -> dict[str, Interval]:
    """Return the evidence of the protocol's folds for the paper's claims."""
    predicted = {
        name: reading.predicted(store, arm, truth)
        for name, arm in _arms(repeats, store, truth, chosen).items()
    }
    return evidence.collect(evidence.Judged(predicted, truth.classes, truth.patients))


def _arms(repeats: tuple[Trial, ...], store: Store, truth: Truth, chosen: Chosen) -> dict[str, Arm]:
    """Name every arm of the protocol that a claim is about (`evidence.PAIRS`)."""
    drawn = _curves(repeats, chosen.classic)
    arms: dict[str, Arm] = {f"classic {size}": arm for size, arm in drawn["classic"].items()}
    arms["none"], arms["classic"] = drawn["classic"][0], drawn["classic"][chosen.classic]
    arms["synthetic"] = drawn["dcgan"][chosen.synthetic]
    for name in ("acgan", "conditional", "new"):
        arms[name] = drawn[name][curves.best(store, drawn[name], truth)]
    arms["acgan discriminator"] = curves.discriminators(repeats, best=chosen.classic)
    for name, arm in controls.arms(repeats, best=chosen.best).items():
        arms[name if name == "synthetic alone" else f"{name}, equal updates"] = arm
    for method in METHODS:
        arms[method] = [rivals_of(trial, method) for trial in repeats]
    if chosen.nested:
        arms |= nested.arms(repeats, chosen.nested)
    return arms


def _curves(repeats: tuple[Trial, ...], best: int) -> dict[str, dict[int, Arm]]:
    """Name Fig. 8's curves."""
    return {
        "classic": curves.classic(repeats),
        **{kind: curves.synthetic(repeats, kind, best=best) for kind in curves.KINDS},
        "new": curves.new(repeats, _new(repeats[0].experiment), best=best),
    }


def _new(experiment: Experiment) -> Cell:
    return phantom(Phantom(NEW_SEED, experiment.new, experiment.augmentation), "new cases")


def _of(groups: dict[int, list[Cell]]) -> Iterable[Cell]:
    return chain.from_iterable(groups.values())
