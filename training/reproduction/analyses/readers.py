"""Table 4's machine rows: the readers' task, 182 real and 120 synthetic lesions (paper 4.4).

The classifiers name each lesion's class; another machine tells real from synthetic. Every lesion is
judged by a network that never saw it: real ones by the fold that held them out, synthetic ones by
their own fold's. That one trained on the same lesions as the generator, and CNN-AUG-GAN on other
images of it: what the paper says of synthetic lesions is judged by CNN-AUG, which saw none.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lesion.classes import CLASSES
from training.evaluation import metrics
from training.evaluation.bootstrap import bootstrap_between
from training.evaluation.image_quality import reader
from training.evaluation.metrics import Interval
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction.analyses import best_arms as detail
from training.reproduction.analyses import curves
from training.reproduction.setup import Study
from training.reproduction.tasks.generator import Kind
from training.reproduction.tasks.reader import READER, Reader

#: Synthetic lesions of each class: 120 in all, as the paper's readers saw.
EACH = 40


def cells(study: Study) -> Iterator[Cell]:
    """Yield the machine readers' cells, one for each kind of generator."""
    for kind in curves.KINDS:
        yield _reader(study, kind)


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return the machine rows."""
    return {
        "classes": {arm: _told(*_right(store, study, arm)) for arm in detail.ARMS},
        "real": {kind: _reading(store, study, kind) for kind in curves.KINDS},
    }


def evidence(store: Store, study: Study) -> dict[str, Interval]:
    """Return the evidence for what the paper says of the readers' task."""
    real, synthetic = _right(store, study, "classic")
    both = np.concatenate([real, synthetic])
    is_real = np.arange(len(both)) < len(real)
    patients = np.concatenate([study.truth.patients, [f"s{i}" for i in range(len(synthetic))]])
    machine = _reading(store, study, "dcgan")["balanced_accuracy"]
    return {
        "synthetic - real, readers' task": bootstrap_between(
            both.astype(np.float64), ~is_real, is_real, patients, seed=0
        ),
        "CNN-AUG, readers' task": metrics.wilson(int(both.sum()), len(both)),
        "real or synthetic, machine": Interval(*machine),
    }


def _right(store: Store, study: Study, arm: detail.Arm) -> tuple[np.ndarray, np.ndarray]:
    """Mark the real and the synthetic lesions whose class an arm's classifiers name."""
    real = np.zeros(len(study.truth.classes), dtype=bool)
    synthetic = []
    for index, split in enumerate(study.trial.splits):
        one = detail.cell(study, split, arm)
        said = store.load(one)
        real[said["rows"]] = said["logits"].argmax(axis=1) == study.truth.classes[said["rows"]]
        spare = detail.of_spares(store, one, "dcgan", name="logits")
        for label, name in enumerate(CLASSES):
            logits = spare[name][: _share(study, index)]
            synthetic.append(logits.argmax(axis=1) == label)
    return real, np.concatenate(synthetic)


def _share(study: Study, fold: int) -> int:
    """Deal the synthetic lesions of a class out to the folds: 14, 13 and 13."""
    folds = len(study.trial.splits)
    return EACH // folds + (fold < EACH % folds)


def _told(real: np.ndarray, synthetic: np.ndarray) -> dict[str, list[float]]:
    both = np.concatenate([real, synthetic])
    return {
        name: list(metrics.wilson(int(right.sum()), len(right)))
        for name, right in (("real", real), ("synthetic", synthetic), ("total", both))
    }


def _reader(study: Study, kind: Kind) -> Cell:
    spares = {
        f"{role} {index}": one
        for index, split in enumerate(study.trial.splits)
        for role, one in detail.spares(study, split, kind).items()
    }
    shares = tuple(_share(study, index) for index in range(len(study.trial.splits)))
    config = Reader(shares, study.trial.seed)
    return Cell(READER, config, {"cohort": study.trial.cohort, **spares}, label=f"reader of {kind}")


def _reading(store: Store, study: Study, kind: Kind) -> dict[str, Any]:
    said = store.load(_reader(study, kind))
    found = reader.judge(
        np.asarray(said["called_real"]),
        np.asarray(said["real"]),
        np.asarray(said["lesions"]),
        seed=study.trial.seed,
    )
    return {
        "accuracy": list(found.accuracy),
        "balanced_accuracy": list(found.balanced_accuracy),
        "always_real": found.always_real,
    }
