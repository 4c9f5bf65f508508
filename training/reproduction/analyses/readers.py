"""Table 4's machine rows: the readers' task, 182 real and 120 synthetic lesions (paper 4.4).

The classifiers name each lesion's class; another machine tells real from synthetic. Every lesion is
judged by a network that never saw it: real ones by the fold that held them out, synthetic ones by
their own fold's. That one trained on the same lesions as the generator, and CNN-AUG-GAN on other
images of it: what the paper says of synthetic lesions is judged by CNN-AUG, which saw none.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from training.data.training_sets import Arm
from training.evaluation import metrics
from training.evaluation.bootstrap import bootstrap_between
from training.evaluation.image_quality import reader
from training.evaluation.metrics import Interval
from training.phantom.classes import CLASSES
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction.analyses import best_arms
from training.reproduction.analysis import Analysis
from training.reproduction.report.sections import readers as report
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.reader import READER, Reader

#: Synthetic lesions of each class: 120 in all, as the paper's readers saw.
EACH = 40


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the classifiers, and the machine readers, one for each kind of generator."""
    yield from best_arms.tasks(setup)
    for kind in setup.grid.kinds:
        yield _reader(setup, kind)


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return the machine rows."""
    return {
        "classes": {arm: _told(*_right(store, setup, arm)) for arm in best_arms.ARMS},
        "real": {kind: _reading(store, setup, kind) for kind in setup.grid.kinds},
    }


def evidence(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Interval]:
    """Return the evidence for what the paper says of the readers' task."""
    real, synthetic = _right(store, setup, "classic")
    both = np.concatenate([real, synthetic])
    is_real = np.arange(len(both)) < len(real)
    patients = np.concatenate([setup.truth.patients, [f"s{i}" for i in range(len(synthetic))]])
    machine = _reading(store, setup, setup.grid.kinds[0])["balanced_accuracy"]
    return {
        "synthetic - real, readers' task": bootstrap_between(
            both.astype(np.float64), ~is_real, is_real, patients, seed=0
        ),
        "CNN-AUG, readers' task": metrics.wilson(int(both.sum()), len(both)),
        "real or synthetic, machine": Interval(*machine),
    }


def _right(store: ArtifactStore, setup: ExperimentSetup, arm: Arm) -> tuple[np.ndarray, np.ndarray]:
    """Mark the real and the synthetic lesions whose class an arm's classifiers name."""
    real = np.zeros(len(setup.truth.classes), dtype=bool)
    synthetic = []
    for index, split in enumerate(setup.protocol.splits):
        one = best_arms.task(setup, split, arm)
        outputs = store.load(one)
        real[outputs["rows"]] = (
            outputs["logits"].argmax(axis=1) == setup.truth.classes[outputs["rows"]]
        )
        spare = best_arms.of_spares(store, one, setup.grid.kinds[0], name="logits")
        for label, name in enumerate(CLASSES):
            logits = spare[name][: _share(setup, index)]
            synthetic.append(logits.argmax(axis=1) == label)
    return real, np.concatenate(synthetic)


def _share(setup: ExperimentSetup, fold: int) -> int:
    """Deal the synthetic lesions of a class out to the folds: 14, 13 and 13."""
    folds = len(setup.protocol.splits)
    return EACH // folds + (fold < EACH % folds)


def _told(real: np.ndarray, synthetic: np.ndarray) -> dict[str, list[float]]:
    both = np.concatenate([real, synthetic])
    return {
        name: list(metrics.wilson(int(right.sum()), len(right)))
        for name, right in (("real", real), ("synthetic", synthetic), ("total", both))
    }


def _reader(setup: ExperimentSetup, kind: str) -> Task:
    spares = {
        f"{role} {index}": one
        for index, split in enumerate(setup.protocol.splits)
        for role, one in best_arms.spares(setup, split, kind).items()
    }
    shares = tuple(_share(setup, index) for index in range(len(setup.protocol.splits)))
    config = Reader(shares, setup.protocol.seed)
    return Task(
        READER, config, {"cohort": setup.protocol.cohort, **spares}, label=f"reader of {kind}"
    )


def _reading(store: ArtifactStore, setup: ExperimentSetup, kind: str) -> dict[str, Any]:
    outputs = store.load(_reader(setup, kind))
    found = reader.judge(
        np.asarray(outputs["called_real"]),
        np.asarray(outputs["real"]),
        np.asarray(outputs["lesions"]),
        seed=setup.protocol.seed,
    )
    return {
        "accuracy": list(found.accuracy),
        "balanced_accuracy": list(found.balanced_accuracy),
        "always_real": found.always_real,
    }


ANALYSIS = Analysis(
    "readers",
    "the readers' task for machines (Table 4)",
    tasks=tasks,
    results=results,
    evidence=evidence,
    sections=(report.section,),
)
