"""Run the paper's experiments in three stages, and put their results together.

    1  the red curve, and its inner folds            -> the best classic group
    2  the blue and green curves on top of it        -> the best synthetic group
    3  everything at the best groups: baselines, controls, the cohort-level test ...

Every stage finds what is there and computes the rest, so a run that was cut goes on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from lesion.errors import RunError
from training.evaluation.metrics import Interval
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.presets import GridPreset
from training.reproduction import provenance, selection
from training.reproduction.analyses import cohorts, curves, nested_selection
from training.reproduction.analyses.catalogue import ANALYSES
from training.reproduction.claims.verdicts import Judgement, in_words, judge
from training.reproduction.predictions import Labels
from training.reproduction.protocol import ProtocolRun
from training.reproduction.provenance import TrackingStore
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.cohort import Phantom, phantom
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt

#: The seed of the phantom's 78 new cases (paper 4.2.2).
NEW_SEED = 40_001

#: Computes tasks into the store: `compute("stage", tasks)`.
Compute = Callable[[str, Iterable[Task]], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What a run found: plain numbers by section, and the arrays that only pictures need."""

    results: dict[str, Any]
    arrays: dict[str, np.ndarray]


def protocol_runs(grid: GridPreset, cohort: Task, *, seed: int) -> tuple[ProtocolRun, ...]:
    """Name the repeats: each has its own folds and seeds."""
    return tuple(ProtocolRun(grid, cohort, seed + repeat) for repeat in range(grid.repeats))


def run(
    grid: GridPreset, cohort: Task, store: ArtifactStore, *, seed: int, compute: Compute
) -> Found:
    """Run everything and return what was found.

    Raise `RunError` where the cohort's seed is one that further lesions are drawn with.
    """
    _check_seed(grid, cohort)
    setup = _choose(protocol_runs(grid, cohort, seed=seed), store, compute=compute)
    compute("all arms", tasks(setup))
    by = {name: TrackingStore(store.folder) for name in (*(a.name for a in ANALYSES), "claims")}
    results: dict[str, Any] = {
        "run": provenance.describe(grid, cohort, setup.truth, seed=seed),
        "chosen": {"classic": setup.classic, "synthetic": setup.synthetic},
    }
    results |= {a.name: a.results(by[a.name], setup) for a in ANALYSES if a.results is not None}
    results["claims"] = [
        _claim(one, simulated=setup.simulated) for one in judge(_evidence(by["claims"], setup))
    ]
    arrays: dict[str, np.ndarray] = {}
    for analysis in ANALYSES:
        if analysis.arrays is not None:
            arrays |= analysis.arrays(by[analysis.name], setup)
    results["run"] |= provenance.behind(by)
    return Found(results, arrays)


def _check_seed(grid: GridPreset, cohort: Task) -> None:
    """Refuse a phantom whose patients would be those of the fresh lesions, or of new cases."""
    test = grid.cohorts
    taken = {NEW_SEED, test.upper_bound_seed, test.fresh_seed, *test.seeds}
    if isinstance(cohort.config, Phantom) and cohort.config.seed in taken:
        raise RunError(f"found seed {cohort.config.seed}, with which other lesions are drawn")


def _choose(
    repeats: tuple[ProtocolRun, ...], store: ArtifactStore, *, compute: Compute
) -> ExperimentSetup:
    """Run the curves and choose the best groups, stage by stage."""
    grid, cohort = repeats[0].grid, repeats[0].cohort
    known = Excerpt(("classes", "patient_ids"))
    table = Task(EXCERPT, known, {"cohort": cohort}, label="the cohort's table")
    folds = [(protocol, fold) for protocol in repeats for fold in protocol.splits]
    nests = folds if grid.inner_folds else []
    further = cohorts.protocol_runs(grid)

    red = curves.classic(repeats)
    inner = {fold: nested_selection.classic(protocol, fold) for protocol, fold in nests}
    other = {protocol: cohorts.classic_groups(protocol) for protocol in further}
    compute("classic groups", [table, *curves.of(red), *_of(inner), *_compared(other)])
    truth = Labels(*(np.asarray(store.load(table)[name]) for name in known.arrays))
    classic = curves.best(store, red, truth)
    own = {fold: selection.on_inner(store, groups, truth.classes) for fold, groups in inner.items()}
    best = {protocol: cohorts.choose(store, protocol, groups) for protocol, groups in other.items()}

    new = phantom(Phantom(NEW_SEED, grid.new, grid.augmentation), "new cases")
    blue = {kind: curves.synthetic(repeats, kind, best=classic) for kind in grid.kinds}
    drawn = map(curves.of, (*blue.values(), curves.new(repeats, new, best=classic)))
    inner = {
        fold: nested_selection.synthetic(protocol, fold, best=own[fold]) for protocol, fold in nests
    }
    other = {
        protocol: cohorts.synthetic_groups(protocol, best=best[protocol]) for protocol in further
    }
    compute("synthetic groups", [*chain.from_iterable(drawn), *_of(inner), *_compared(other)])
    return ExperimentSetup(
        repeats,
        truth,
        new,
        classic,
        curves.best(store, blue[grid.kinds[0]], truth),
        {
            fold: (own[fold], selection.on_inner(store, groups, truth.classes))
            for fold, groups in inner.items()
        },
        {
            protocol.seed: (best[protocol], cohorts.choose(store, protocol, groups))
            for protocol, groups in other.items()
        },
    )


def tasks(setup: ExperimentSetup) -> Iterable[Task]:
    """Yield everything at the best groups."""
    return chain.from_iterable(analysis.tasks(setup) for analysis in ANALYSES)


def _evidence(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Interval]:
    """Return the evidence for the paper's claims, of every analysis that has some.

    What simulated lesions beside a site's own cohort show is no evidence for that cohort.
    """
    found: dict[str, Interval] = {}
    for analysis in ANALYSES:
        if analysis.evidence is not None and (setup.simulated or not analysis.of_simulation):
            found |= analysis.evidence(store, setup)
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


def _compared(groups: dict[ProtocolRun, dict[int, list[Task]]]) -> Iterable[Task]:
    return chain.from_iterable(cohorts.to_compare(protocol, of) for protocol, of in groups.items())


def _of(nests: dict[Any, dict[int, list[Task]]]) -> Iterable[Task]:
    return chain.from_iterable(tasks for groups in nests.values() for tasks in groups.values())
