"""The primary claim with the cohort as the unit.

One cohort of 182 lesions cannot tell a gain of a few points from chance (4.2 has one). The phantom
has any number of cohorts: each trains every arm for equally many updates, and all judge the same
fresh lesions. The upper bound has many real (simulated) lesions in place of augmented few: no
generator that knows only the cohort can be expected to pass it. All cohorts share the upper bound's
lesions, so their chance is in every headroom alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np

from training.data import training_sets
from training.data.augment import Augmentation
from training.data.folds import FOLDS
from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.evaluation import multi_cohort
from training.evaluation.metrics import Interval
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.presets import GridPreset
from training.reproduction import independent_test_set, selection
from training.reproduction.analysis import Analysis
from training.reproduction.arm_comparison import compare, judge, share
from training.reproduction.protocol import ProtocolRun, classifier, generators
from training.reproduction.report.sections import cohorts as report
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.classifier import VIEWS, Keep
from training.reproduction.tasks.cohort import Phantom, mixed, phantom
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.settings import CnnSettings

ARMS = (*training_sets.ARMS, "conditional", "upper_bound")
#: Those that the claim cannot do without.
NEEDED = ("classic", "gan", "upper_bound")


def protocol_runs(grid: GridPreset) -> tuple[ProtocolRun, ...]:
    """Name the cohorts. Their generators draw what their own groups need."""
    own = replace(grid, synthetic=grid.cohorts.synthetic, spare=0)
    return tuple(
        ProtocolRun(
            own,
            phantom(Phantom(seed, grid.counts, grid.augmentation), f"cohort {seed}"),
            seed,
        )
        for seed in grid.cohorts.seeds
    )


def arms(grid: GridPreset) -> tuple[str, ...]:
    """Name the arms that an experiment runs."""
    wanted = {*NEEDED, *grid.cohorts.further}
    return tuple(name for name in ARMS if name in wanted)


def table(protocol: ProtocolRun) -> Task:
    """Name what is known of a cohort's lesions."""
    known = Excerpt(("classes", "patient_ids"))
    return Task(
        EXCERPT, known, {"cohort": protocol.cohort}, label=f"table of {protocol.cohort.label}"
    )


def classic_groups(protocol: ProtocolRun) -> dict[int, list[Task]]:
    """Name the classifiers among which a cohort's classic group is chosen."""
    sizes = protocol.grid.cohorts.classic
    return {
        size: [_inner(protocol, s, TrainingSet(size)) for s in _folds(protocol)] for size in sizes
    }


def synthetic_groups(protocol: ProtocolRun, *, best: int) -> dict[int, list[Task]]:
    """Name the classifiers among which a cohort's synthetic group is chosen."""
    return {
        size: [
            _inner(protocol, s, TrainingSet(best, size), generators(protocol, s, classic=best))
            for s in _folds(protocol)
        ]
        for size in protocol.grid.cohorts.synthetic
    }


def choose(store: ArtifactStore, protocol: ProtocolRun, groups: dict[int, list[Task]]) -> int:
    """Choose a cohort's group on its own folds; one that is alone needs no run."""
    if len(groups) == 1:
        return next(iter(groups))
    return selection.on_inner(store, groups, np.asarray(store.load(table(protocol))["classes"]))


def to_compare(protocol: ProtocolRun, groups: dict[int, list[Task]]) -> list[Task]:
    """Return the tasks that a choice needs."""
    if len(groups) == 1:
        return []
    return [table(protocol), *(task for tasks in groups.values() for task in tasks)]


def arm(protocol: ProtocolRun, name: str, *, best: tuple[int, int]) -> Task:
    """Name an arm's classifier on one cohort at its groups."""
    classic, synthetic = best
    if name == "none":
        return on_fresh(protocol, TrainingSet())
    if name == "classic":
        return on_fresh(protocol, TrainingSet(classic))
    if name == "upper_bound":
        test = protocol.grid.cohorts
        variants = _upper_bound_variants(protocol.grid)
        pool = Phantom(test.upper_bound_seed, mixed(test.upper_bound), variants)
        rich = replace(protocol, cohort=phantom(pool, "upper bound"))
        return on_fresh(rich, TrainingSet(classic))
    kind = None if name == "gan" else name
    images = cohort_generators(protocol, kind, classic=classic)
    return on_fresh(protocol, TrainingSet(classic, synthetic), images)


def cohort_generators(
    protocol: ProtocolRun, kind: str | None = None, *, classic: int
) -> dict[str, Task]:
    """Name the generators of a whole cohort."""
    return generators(protocol, Split(protocol.seed), kind, classic=classic)


#: What is kept of an arm's answers: those to flips besides.
_FLIPS = Keep(views=len(VIEWS))


def on_fresh(
    protocol: ProtocolRun,
    data: TrainingSet,
    more: Mapping[str, Task] | None = None,
    *,
    keep: Keep = _FLIPS,
) -> Task:
    """Name a classifier of a whole cohort that judges the fresh lesions."""
    inputs = independent_test_set.judged_roles(protocol.grid) | dict(more or {})
    whole, preset = Split(protocol.seed), _preset(protocol)
    return classifier(protocol, whole, data, more=inputs, preset=preset, keep=keep)


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the tasks of every arm, cohort by cohort."""
    grid = setup.grid
    yield from independent_test_set.classes(grid)
    for protocol in protocol_runs(grid):
        for name in arms(grid):
            yield arm(protocol, name, best=setup.cohorts[protocol.seed])


def every(setup: ExperimentSetup) -> dict[str, list[Task]]:
    """Name every arm's classifiers, one of each cohort."""
    return {
        name: [arm(t, name, best=setup.cohorts[t.seed]) for t in protocol_runs(setup.grid)]
        for name in arms(setup.grid)
    }


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return every arm's accuracy on every cohort, and the paired differences."""
    judged = judge(store, setup.grid, every(setup))
    test, there = setup.grid.cohorts, arms(setup.grid)
    pairs = (("classic", "none"), *((name, "classic") for name in ARMS[2:]))
    return {
        "cohorts": test.count,
        "test_lesions": test.test,
        "updates": test.updates,
        "chosen": [list(setup.cohorts[protocol.seed]) for protocol in protocol_runs(setup.grid)],
        "accuracy": {name: each.tolist() for name, each in judged.accuracy.items()},
        "negative_log_likelihood": judged.likelihood,
        "comparisons": {
            **{f"{a} - {b}": compare(judged, a, b) for a, b in pairs if {a, b} <= {*there}},
            **{
                f"{name}, share of headroom": share(judged, name)
                for name in ("gan", "conditional")
                if name in there
            },
        },
    }


def accuracies(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, np.ndarray]:
    """Return each arm's accuracy on every cohort: float64 [cohorts]."""
    return judge(store, setup.grid, every(setup)).accuracy


def evidence(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Interval]:
    """Return the evidence for the primary claim."""
    named = every(setup)
    pair = {name: named[name] for name in ("gan", "classic")}
    judged = judge(store, setup.grid, pair)
    right, patients = judged.right, judged.patients
    gained = multi_cohort.crossed_gain(right["gan"], right["classic"], patients)
    return {"synthetic - classic, cohorts": gained.difference}


def _upper_bound_variants(grid: GridPreset) -> Augmentation:
    """Return what the largest group takes of each of the upper bound's lesions, in whole rotations.

    Fewer than of a cohort's, having more lesions.
    """
    test, one = grid.cohorts, Augmentation(rotations=1)
    each = round(max(test.classic) * FOLDS / test.upper_bound)
    return replace(one, rotations=max(1, ceil(each / one.count)))


def _folds(protocol: ProtocolRun) -> tuple[Split, ...]:
    return protocol.splits[: protocol.grid.cohorts.inner_folds]


def _inner(
    protocol: ProtocolRun, split: Split, data: TrainingSet, more: dict[str, Task] | None = None
) -> Task:
    return classifier(protocol, split, data, more=more, preset=_preset(protocol))


def _preset(protocol: ProtocolRun) -> CnnSettings:
    return replace(protocol.grid.cnn, updates=protocol.grid.cohorts.updates)


ANALYSIS = Analysis(
    "cohorts",
    "the primary claim over cohorts",
    tasks=tasks,
    results=results,
    evidence=evidence,
    of_simulation=True,
    sections=(report.section,),
    in_readme=True,
)
