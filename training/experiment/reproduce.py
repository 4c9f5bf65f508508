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

from training.experiment.cell import Cell
from training.experiment.presets import Experiment
from training.experiment.reading import Truth
from training.experiment.sections import (
    cohorts,
    controls,
    curves,
    deployment,
    nested,
    rivals,
)
from training.experiment.splits import Split
from training.experiment.store import Store
from training.experiment.trial import Trial
from training.experiment.work.cohort import Phantom, phantom
from training.experiment.work.excerpt import EXCERPT, Excerpt

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
    experiment, best = repeats[0].experiment, chosen.classic
    return {
        "chosen": {"classic": chosen.classic, "synthetic": chosen.synthetic},
        "curves": {
            "classic": curves.results(store, curves.classic(repeats), truth),
            **{
                kind: curves.results(store, curves.synthetic(repeats, kind, best=best), truth)
                for kind in curves.KINDS
            },
            "new": curves.results(store, curves.new(repeats, _new(experiment), best=best), truth),
        },
        "nested": nested.results(store, repeats, chosen.nested, truth) if chosen.nested else None,
        "rivals": rivals.results(store, repeats, truth),
        "controls": controls.results(store, repeats, truth, best=chosen.best),
        "deployment": deployment.results(store, repeats[0], truth, best=chosen.best),
        "cohorts": cohorts.results(store, experiment),
    }


def _new(experiment: Experiment) -> Cell:
    return phantom(Phantom(NEW_SEED, experiment.new, experiment.augmentation), "new cases")


def _of(groups: dict[int, list[Cell]]) -> Iterable[Cell]:
    return chain.from_iterable(groups.values())
