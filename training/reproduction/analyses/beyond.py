"""Beyond the paper: other ways to get more out of a cohort, in the cohort-level test.

Each is measured as the paper's synthetic arm is: on every cohort, with equally many updates and as
many added images, on the same fresh lesions, beside the classic arm and the upper bound. No setting
was tuned on the fresh lesions; but `composite` was thought of after the others had been seen on
them, in place of a generator that was trained for longer; and `normal_background` after that.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from training.data.folds import FOLDS
from training.data.splits import Split
from training.data.training_sets import TrainingSet
from training.evaluation.metrics import Interval
from training.evaluation.multi_cohort import reaches_goal
from training.evaluation.paired_tests import holm
from training.evaluation.t_tests import TTest
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.presets import GridPreset
from training.reproduction.analyses import cohorts
from training.reproduction.analysis import Analysis
from training.reproduction.arm_comparison import ArmScores, compare, judge, share
from training.reproduction.protocol import ProtocolRun
from training.reproduction.report.sections import beyond as report
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.mixing import FURTHER_HOSTS, MIXED, MixingConfig, Way
from training.reproduction.tasks.surroundings import SURROUNDINGS, Surroundings
from training.reproduction.tasks.synthetic_images import ROLE

#: Every arm, and what it is trained on besides the classic group.
ARMS = {
    "fewer": "a quarter as many of the DCGANs' images",
    "mixup": "two lesions of a class, mixed pixel by pixel",
    "background_transfer": "lesions put into another patient's surroundings",
    "composite": "composite lesions: bent, in another patient's surroundings, on another scanner",
    "normal_background": (
        "lesions put into normal surroundings from elsewhere in other patients' slices"
    ),
}
_WAYS: tuple[Way, ...] = (
    "mixup",
    "background_transfer",
    "composite",
    "normal_background",
)
#: Squares of normal surroundings, for each lesion.
_SQUARES = 6
_FEWER = 4

Figure = TypeVar("Figure")


def arms(grid: GridPreset) -> dict[str, str]:
    """Name the arms that an experiment runs, and what each is trained on besides."""
    return {name: words for name, words in ARMS.items() if name in grid.cohorts.further}


def arm(protocol: ProtocolRun, name: str, *, best: tuple[int, int]) -> Task:
    """Name an arm's classifier on one cohort at the groups of its synthetic arm."""
    classic, synthetic = best
    group = TrainingSet(classic, synthetic)
    if name in _WAYS:
        images = {ROLE: _mixed(protocol, name, best=best)}
    else:
        images = cohorts.cohort_generators(protocol, classic=classic)
    if name == "fewer":
        group = TrainingSet(classic, synthetic // _FEWER)
    return cohorts.on_fresh(protocol, group, images)


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the tasks of every arm, cohort by cohort."""
    for protocol in cohorts.protocol_runs(setup.grid):
        for name in arms(setup.grid):
            yield arm(protocol, name, best=setup.cohorts[protocol.seed])


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return every arm's figures, judged by the lesions as they are, and with their flips.

    `flips` are test-time augmentation: each arm's mean logits of a lesion and its three flips.
    `flips_gain` is what they alone add to each arm.
    """
    protocol_runs, further = cohorts.protocol_runs(setup.grid), arms(setup.grid)
    every = cohorts.every(setup) | {
        name: [arm(protocol, name, best=setup.cohorts[protocol.seed]) for protocol in protocol_runs]
        for name in further
    }
    once = judge(store, setup.grid, every)
    often = judge(store, setup.grid, every, flips=True)
    both = ArmScores(
        _named(once.right, "once") | _named(often.right, "flips"),
        _named(once.likelihood, "once") | _named(often.likelihood, "flips"),
        once.patients,
    )
    return {
        "arms": further,
        "once": _figures(once),
        "flips": _figures(often),
        "flips_gain": {n: compare(both, f"{n}, flips", f"{n}, once") for n in once.right},
    }


def _named(by_arm: Mapping[str, Figure], looks: str) -> dict[str, Figure]:
    return {f"{name}, {looks}": figure for name, figure in by_arm.items()}


def _figures(judged: ArmScores) -> dict[str, Any]:
    """Return accuracies, and of each arm with added images its gain over the classic arm.

    `p_holm` counts in how many arms there are; `goal`: it surely gains, and closes half of the way
    to the upper bound.
    """
    added = [name for name in judged.right if name not in ("none", "classic", "upper_bound")]
    gains = {name: compare(judged, name, "classic") for name in added}
    adjusted = holm(np.array([gain["p"] for gain in gains.values()]))
    shares = {name: share(judged, name) for name in added}
    return {
        "accuracy": {name: each.tolist() for name, each in judged.accuracy.items()},
        "negative_log_likelihood": judged.likelihood,
        "headroom": compare(judged, "upper_bound", "classic"),
        "gains": {
            name: {
                **gain,
                "p_holm": float(p),
                "share": shares[name],
                "goal": _reached(gain, shares[name]),
            }
            for (name, gain), p in zip(gains.items(), adjusted, strict=True)
        },
    }


def _reached(gain: dict[str, Any], share: list[float] | None) -> bool:
    found = TTest(Interval(*gain["difference"]), gain["p"])
    return reaches_goal(found, None if share is None else Interval(*share))


def _mixed(protocol: ProtocolRun, way: Way, *, best: tuple[int, int]) -> Task:
    """Name images that are made without a network, from the same lesions."""
    classic, synthetic = best
    whole = Split(protocol.seed)
    lesions = sum(protocol.grid.counts)
    config = MixingConfig(
        way,
        whole,
        round(classic * FOLDS / lesions),
        synthetic * FOLDS,
        protocol.seed_of(whole),
        protocol.grid.scaling,
    )
    inputs = {"cohort": protocol.cohort}
    if way == "normal_background":
        wanted = Surroundings(protocol.cohort.config, _SQUARES)
        label = f"surroundings of {protocol.cohort.label}"
        inputs[FURTHER_HOSTS] = Task(SURROUNDINGS, wanted, label=label)
    return Task(MIXED, config, inputs, label=f"{way} images")


ANALYSIS = Analysis(
    "beyond",
    "ways beyond the paper",
    tasks=tasks,
    results=results,
    sections=(report.section,),
    in_readme=True,
)
