"""Controls that the paper lacks: equal updates for every arm, another scaling, synthetic alone.

The paper trains for 150 epochs whatever the size of the set, so its arm without augmentation gets
about 300 updates and the best one thousands: part of what augmentation gains is updates.
"""

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from typing import Any

from training.data.folds import FOLDS
from training.data.training_sets import TrainingSet
from training.pipeline.artifacts import Store
from training.pipeline.tasks import Cell
from training.reproduction import predictions as reading
from training.reproduction.predictions import Arm
from training.reproduction.protocol import classifier, generators
from training.reproduction.setup import Study


def arms(study: Study) -> dict[str, Arm]:
    """Name the controls' arms at the best groups."""
    trials, classic, synthetic = study.repeats, study.classic, study.synthetic
    preset = replace(study.experiment.cnn, updates=updates(study))

    def equal(data: TrainingSet) -> Arm:
        fed = data.synthetic_per_class > 0
        return [
            [
                classifier(
                    t,
                    s,
                    data,
                    preset=preset,
                    more=generators(t, s, "dcgan", classic=classic) if fed else None,
                )
                for s in t.splits
            ]
            for t in trials
        ]

    stretched = tuple(
        replace(t, experiment=replace(t.experiment, scaling="window+minmax")) for t in trials
    )
    minmax = {
        f"{name}, each ROI by its own range": [
            [classifier(t, s, data, preset=preset) for s in t.splits] for t in stretched
        ]
        for name, data in (("none", TrainingSet()), ("classic", TrainingSet(classic)))
    }
    return {
        "none": equal(TrainingSet()),
        "classic": equal(TrainingSet(classic)),
        "synthetic": equal(TrainingSet(classic, synthetic)),
        "synthetic alone": equal(TrainingSet(0, synthetic, originals=False)),
        **minmax,
    }


def updates(study: Study) -> int:
    """Return how many updates every arm gets: the preset's number, or the best classic arm's."""
    if study.experiment.updates is not None:
        return study.experiment.updates
    share = (FOLDS - 1) / FOLDS
    images = round(share * len(study.truth.classes)) + round(share * FOLDS * study.classic)
    cnn = study.experiment.cnn
    return cnn.updates or cnn.epochs * ceil(images / cnn.batch)


def cells(study: Study) -> Iterator[Cell]:
    """Yield the controls' cells."""
    for arm in arms(study).values():
        for folds in arm:
            yield from folds


def results(store: Store, study: Study) -> dict[str, Any]:
    """Return the controls' figures, all of them after equally many updates."""
    return {
        "updates": updates(study),
        "arms": {
            name: reading.judged(store, arm, study.truth) for name, arm in arms(study).items()
        },
    }
