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
from training.pipeline.artifacts import ArtifactStore
from training.pipeline.tasks import Task
from training.reproduction import predictions
from training.reproduction.analysis import Analysis
from training.reproduction.predictions import Arm
from training.reproduction.protocol import classifier, generators
from training.reproduction.report.sections import methods
from training.reproduction.setup import ExperimentSetup


def arms(setup: ExperimentSetup) -> dict[str, Arm]:
    """Name the controls' arms at the best groups."""
    protocol_runs, classic, synthetic = setup.repeats, setup.classic, setup.synthetic
    preset = replace(setup.grid.cnn, updates=updates(setup))

    def equal(data: TrainingSet) -> Arm:
        fed = data.synthetic_per_class > 0
        return [
            [
                classifier(
                    t,
                    s,
                    data,
                    preset=preset,
                    more=generators(t, s, classic=classic) if fed else None,
                )
                for s in t.splits
            ]
            for t in protocol_runs
        ]

    stretched = tuple(
        replace(t, grid=replace(t.grid, scaling="window+minmax")) for t in protocol_runs
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
        "gan": equal(TrainingSet(classic, synthetic)),
        "gan alone": equal(TrainingSet(0, synthetic, originals=False)),
        **minmax,
    }


def updates(setup: ExperimentSetup) -> int:
    """Return how many updates every arm gets: the preset's number, or the best classic arm's."""
    if setup.grid.updates is not None:
        return setup.grid.updates
    share = (FOLDS - 1) / FOLDS
    images = round(share * len(setup.truth.classes)) + round(share * FOLDS * setup.classic)
    cnn = setup.grid.cnn
    return cnn.updates or cnn.epochs * ceil(images / cnn.batch)


def tasks(setup: ExperimentSetup) -> Iterator[Task]:
    """Yield the controls' tasks."""
    for arm in arms(setup).values():
        for folds in arm:
            yield from folds


def results(store: ArtifactStore, setup: ExperimentSetup) -> dict[str, Any]:
    """Return the controls' figures, all of them after equally many updates."""
    return {
        "updates": updates(setup),
        "arms": {
            name: predictions.arm_figures(store, arm, setup.truth)
            for name, arm in arms(setup).items()
        },
    }


ANALYSIS = Analysis(
    "controls",
    "controls with equal updates",
    tasks=tasks,
    results=results,
    sections=(methods.controls,),
)
