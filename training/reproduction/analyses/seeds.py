"""The chance of training: the best arms once more on the same folds, their networks seeded anew.

The paper trains each network once. What lies between two runs that differ in their seeds alone is
what no interval over patients holds; a gain has to be seen beside it.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int

from training.evaluation import power
from training.evaluation.t_tests import mean_test
from training.evaluation.variance import spread
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction import predictions
from training.reproduction.analyses import curves
from training.reproduction.analyses.paired import GAINS
from training.reproduction.analysis import Analysis
from training.reproduction.predictions import Arm
from training.reproduction.setup import ExperimentSetup

#: What is compared: the better arm by the paper, and the worse.
PAIRS = (("classic", "none"), ("gan", "classic"))


def arms(setup: ExperimentSetup) -> dict[str, Arm]:
    """Name the first repeat's best arms, of every seed: classifiers, and their generators too."""
    seeds = range(setup.grid.seeds)
    protocol_runs = tuple(replace(setup.protocol, again=again) for again in seeds)
    red = curves.classic(protocol_runs)
    blue = curves.synthetic(protocol_runs, setup.grid.kinds[0], best=setup.classic)
    return {
        "none": red[0],
        "classic": red[setup.classic],
        "gan": blue[setup.synthetic],
    }


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the tasks of every seed, where there are several."""
    if setup.grid.seeds > 1:
        for arm in arms(setup).values():
            yield from curves.tasks(arm)


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any] | None:
    """Return how far each arm's seeds lie apart, and what they say of each pair of arms.

    None where there is one seed. A pair's interval is a t interval over seeds: about other seeds on
    just these patients and folds.
    """
    if setup.grid.seeds < 2:
        return None
    truth = setup.truth
    lesions = len(truth.classes)
    right = {
        name: (predictions.predicted(store, arm, truth) == truth.classes).sum(axis=1)
        for name, arm in arms(setup).items()
    }
    return {
        "arms": {name: spread(each / lesions)._asdict() for name, each in right.items()},
        "pairs": {
            f"{arm} - {other}": _pair(right[arm] - right[other], lesions) for arm, other in PAIRS
        },
        "gains": list(GAINS),
    }


def _pair(gained: Int[np.ndarray, " seeds"], lesions: int) -> dict[str, Any]:
    """Compare two arms over seeds, by how many more lesions one got right with each.

    Whole lesions, so that seeds that all agree have no spread at all, not one of rounding.
    """
    sd = float(gained.std(ddof=1)) / lesions
    return {
        **mean_test(gained / lesions)._asdict(),
        "each": (gained / lesions).tolist(),
        "sd": sd,
        "seeds_needed": [power.repeats_needed(gain, sd=sd) if sd else None for gain in GAINS],
    }


ANALYSIS = Analysis("seeds", tasks=tasks, results=results)
