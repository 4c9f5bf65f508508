"""Beyond the paper: other ways to get more out of a cohort, in the cohort-level test.

Each is measured as the paper's synthetic arm is: on every cohort, with equally many updates and as
many added images, on the same fresh lesions, beside the classic arm and the ceiling. What each does
was settled before any was run, and nothing was tuned on the fresh lesions.
"""

from collections.abc import Iterator
from dataclasses import replace

from training.experiment.cell import Cell
from training.experiment.sections import cohorts
from training.experiment.splits import Split
from training.experiment.study import Study
from training.experiment.trial import Trial
from training.experiment.work.filtered import FILTERED, Filter
from training.experiment.work.mixed import MIXED, Mixing, Way
from training.experiment.work.sets import TrainingSet
from training.folds import FOLDS

#: Every arm, and what it is trained on besides the classic group.
ARMS = {
    "fewer": "a quarter as many of the DCGANs' images",
    "filtered": "the half of the DCGANs' images that the classic arm is surest of",
    "longer": "images of the small-data recipe, trained longer or wider",
    "blended": "two lesions of a class, mixed pixel by pixel",
    "transplanted": "lesions put into another patient's surroundings",
    "rescanned": "augmented lesions as another scanner might show them",
}
_WAYS: tuple[Way, ...] = ("blended", "transplanted", "rescanned")
_FEWER = 4


def arm(trial: Trial, name: str, *, best: tuple[int, int]) -> Cell:
    """Name an arm's classifier on one cohort at the groups of its synthetic arm."""
    classic, synthetic = best
    group = TrainingSet(classic, synthetic)
    if name == "longer":
        slow = replace(trial, experiment=replace(trial.experiment, recipe=trial.experiment.longer))
        images = cohorts.made(slow, "conditional", classic=classic)
    elif name in _WAYS:
        images = {"synthetic": _mixed(trial, name, best=best)}
    else:
        images = cohorts.made(trial, "dcgan", classic=classic)
    if name == "fewer":
        group = TrainingSet(classic, synthetic // _FEWER)
    if name == "filtered":
        judge = {"judge": cohorts.arm(trial, "classic", best=best)}
        kept = Filter(synthetic * FOLDS)
        images = {"synthetic": Cell(FILTERED, kept, images | judge, label="filtered images")}
    return cohorts.on_fresh(trial, group, images)


def cells(study: Study) -> Iterator[Cell]:
    """Yield the cells of every arm, cohort by cohort."""
    for trial in cohorts.trials(study.experiment):
        for name in ARMS:
            yield arm(trial, name, best=study.cohorts[trial.seed])


def _mixed(trial: Trial, way: Way, *, best: tuple[int, int]) -> Cell:
    """Name images that are made without a network, from the same lesions."""
    classic, synthetic = best
    whole = Split(trial.seed)
    lesions = sum(trial.experiment.counts)
    config = Mixing(
        way,
        whole,
        round(classic * FOLDS / lesions),
        synthetic * FOLDS,
        trial.seed_of(whole),
        trial.experiment.scaling,
    )
    return Cell(MIXED, config, {"cohort": trial.cohort}, label=f"{way} images")
