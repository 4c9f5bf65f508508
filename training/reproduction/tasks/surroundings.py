"""Normal surroundings of a phantom's lesions, cut from the slices that they lie in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.data import surroundings
from training.phantom.classes import LesionClass
from training.phantom.cohort import plan_cohort
from training.phantom.patient import draw_patient
from training.pipeline.tasks import Arrays, TaskKind
from training.reproduction.tasks.cohort import Phantom
from training.seeds import generator


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Up to `most` squares for each lesion of a phantom."""

    phantom: Phantom
    most: int


def _find(config: Surroundings, _inputs: Mapping[str, Arrays]) -> Arrays:
    seed, counts = config.phantom.seed, config.phantom.counts
    squares, patients = [], []
    for plan in plan_cohort(seed, dict(zip(LesionClass, counts, strict=True))):
        for image in draw_patient(seed, plan).slices:
            lesions = [one.lesion for one in image.lesions]
            marked = [lesion.outline for lesion in lesions]
            for lesion in lesions:
                rng = generator(seed, "surroundings", lesion.lesion_id)
                found = surroundings.find(lesion, marked, most=config.most, rng=rng)
                squares.append(found)
                patients += [lesion.patient_id] * len(found)
    return {"squares": np.concatenate(squares), "patient_ids": np.array(patients)}


SURROUNDINGS = TaskKind("surroundings", _find)
