"""The primary claim with the cohort as the unit.

One cohort of 182 lesions cannot tell a gain of a few points from chance (4.2 has one). The phantom
has any number of cohorts: each trains every arm for equally many updates, and all judge the same
fresh lesions. The ceiling arm has many real (simulated) lesions in place of augmented few: no
generator that knows only the cohort can be expected to pass it. All cohorts share the ceiling's
lesions, so their chance is in every headroom alike.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np

from training.data.augment import Augmentation
from training.data.folds import FOLDS
from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.evaluation import multi_cohort as statistics
from training.evaluation.metrics import Interval
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.presets import CnnPreset
from training.reproduction import independent_test_set as fresh
from training.reproduction import selection as select
from training.reproduction.arm_comparison import compare, judge, share
from training.reproduction.presets import Experiment
from training.reproduction.protocol import Trial, classifier, generators
from training.reproduction.setup import Study
from training.reproduction.tasks.classifier import VIEWS, Keep
from training.reproduction.tasks.cohort import Phantom, mixed, phantom
from training.reproduction.tasks.excerpt import EXCERPT, Excerpt
from training.reproduction.tasks.generator import Kind

ARMS = ("none", "classic", "synthetic", "recipe", "ceiling")
#: Those that the claim cannot do without.
NEEDED = ("classic", "synthetic", "ceiling")


def trials(experiment: Experiment) -> tuple[Trial, ...]:
    """Name the cohorts. Their generators draw what their own groups need."""
    own = replace(experiment, synthetic=experiment.cohorts.synthetic, spare=0)
    return tuple(
        Trial(
            own,
            phantom(Phantom(seed, experiment.counts, experiment.augmentation), f"cohort {seed}"),
            seed,
        )
        for seed in experiment.cohorts.seeds
    )


def arms(experiment: Experiment) -> tuple[str, ...]:
    """Name the arms that an experiment runs."""
    wanted = {*NEEDED, *experiment.cohorts.further}
    return tuple(name for name in ARMS if name in wanted)


def table(trial: Trial) -> Cell:
    """Name what is known of a cohort's lesions."""
    known = Excerpt(("classes", "patient_ids"))
    return Cell(EXCERPT, known, {"cohort": trial.cohort}, label=f"table of {trial.cohort.label}")


def classic_groups(trial: Trial) -> dict[int, list[Cell]]:
    """Name the classifiers among which a cohort's classic group is chosen."""
    sizes = trial.experiment.cohorts.classic
    return {size: [_inner(trial, s, TrainingSet(size)) for s in _folds(trial)] for size in sizes}


def synthetic_groups(trial: Trial, *, best: int) -> dict[int, list[Cell]]:
    """Name the classifiers among which a cohort's synthetic group is chosen."""
    return {
        size: [
            _inner(trial, s, TrainingSet(best, size), generators(trial, s, "dcgan", classic=best))
            for s in _folds(trial)
        ]
        for size in trial.experiment.cohorts.synthetic
    }


def choose(store: Store, trial: Trial, groups: dict[int, list[Cell]]) -> int:
    """Choose a cohort's group on its own folds; one that is alone needs no run."""
    if len(groups) == 1:
        return next(iter(groups))
    return select.on_inner(store, groups, np.asarray(store.load(table(trial))["classes"]))


def to_compare(trial: Trial, groups: dict[int, list[Cell]]) -> list[Cell]:
    """Return the cells that a choice needs."""
    if len(groups) == 1:
        return []
    return [table(trial), *(cell for cells in groups.values() for cell in cells)]


def arm(trial: Trial, name: str, *, best: tuple[int, int]) -> Cell:
    """Name an arm's classifier on one cohort at its groups."""
    classic, synthetic = best
    if name == "none":
        return on_fresh(trial, TrainingSet())
    if name == "classic":
        return on_fresh(trial, TrainingSet(classic))
    if name == "ceiling":
        test = trial.experiment.cohorts
        variants = _ceiling_variants(trial.experiment)
        pool = Phantom(test.ceiling_seed, mixed(test.ceiling), variants)
        rich = replace(trial, cohort=phantom(pool, "ceiling"))
        return on_fresh(rich, TrainingSet(classic))
    kind: Kind = "dcgan" if name == "synthetic" else "conditional"
    images = made(trial, kind, classic=classic)
    return on_fresh(trial, TrainingSet(classic, synthetic), images)


def made(trial: Trial, kind: Kind, *, classic: int) -> dict[str, Cell]:
    """Name the generators of a whole cohort."""
    return generators(trial, Split(trial.seed), kind, classic=classic)


#: What is kept of an arm's answers: those to flips besides.
_FLIPS = Keep(views=len(VIEWS))


def on_fresh(
    trial: Trial, data: TrainingSet, more: Mapping[str, Cell] | None = None, *, keep: Keep = _FLIPS
) -> Cell:
    """Name a classifier of a whole cohort that judges the fresh lesions."""
    inputs = fresh.judged(trial.experiment) | dict(more or {})
    whole, preset = Split(trial.seed), _preset(trial)
    return classifier(trial, whole, data, more=inputs, preset=preset, keep=keep)


def cells(study: Study) -> Iterator[Cell]:
    """Yield the cells of every arm, cohort by cohort."""
    experiment = study.experiment
    yield from fresh.classes(experiment)
    for trial in trials(experiment):
        for name in arms(experiment):
            yield arm(trial, name, best=study.cohorts[trial.seed])


def every(study: Study) -> dict[str, list[Cell]]:
    """Name every arm's classifiers, one of each cohort."""
    return {
        name: [arm(t, name, best=study.cohorts[t.seed]) for t in trials(study.experiment)]
        for name in arms(study.experiment)
    }


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return every arm's accuracy on every cohort, and the paired differences."""
    judged = judge(store, study.experiment, every(study))
    test, there = study.experiment.cohorts, arms(study.experiment)
    pairs = (("classic", "none"), *((name, "classic") for name in ARMS[2:]))
    return {
        "cohorts": test.count,
        "test_lesions": test.test,
        "updates": test.updates,
        "chosen": [list(study.cohorts[trial.seed]) for trial in trials(study.experiment)],
        "accuracy": {name: each.tolist() for name, each in judged.accuracy.items()},
        "negative_log_likelihood": judged.likelihood,
        "comparisons": {
            **{f"{a} - {b}": compare(judged, a, b) for a, b in pairs if {a, b} <= {*there}},
            **{
                f"{name}, share of headroom": share(judged, name)
                for name in ("synthetic", "recipe")
                if name in there
            },
        },
    }


def accuracies(store: Store, study: Study) -> dict[str, np.ndarray]:
    """Return each arm's accuracy on every cohort: float64 [cohorts]."""
    return judge(store, study.experiment, every(study)).accuracy


def evidence(store: Store, study: Study) -> dict[str, Interval]:
    """Return the evidence for the primary claim."""
    named = every(study)
    pair = {name: named[name] for name in ("synthetic", "classic")}
    judged = judge(store, study.experiment, pair)
    right, patients = judged.right, judged.patients
    gained = statistics.crossed_gain(right["synthetic"], right["classic"], patients)
    return {"synthetic - classic, cohorts": gained.difference}


def _ceiling_variants(experiment: Experiment) -> Augmentation:
    """Return what the largest group takes of each of the ceiling's lesions, in whole rotations.

    Fewer than of a cohort's, having more lesions.
    """
    test, one = experiment.cohorts, Augmentation(rotations=1)
    each = round(max(test.classic) * FOLDS / test.ceiling)
    return replace(one, rotations=max(1, ceil(each / one.count)))


def _folds(trial: Trial) -> tuple[Split, ...]:
    return trial.splits[: trial.experiment.cohorts.inner_folds]


def _inner(
    trial: Trial, split: Split, data: TrainingSet, more: dict[str, Cell] | None = None
) -> Cell:
    return classifier(trial, split, data, more=more, preset=_preset(trial))


def _preset(trial: Trial) -> CnnPreset:
    return replace(trial.experiment.cnn, updates=trial.experiment.cohorts.updates)
