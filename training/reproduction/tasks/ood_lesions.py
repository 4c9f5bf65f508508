"""Patches of what is none of the three classes, or of another phase: only ever judged."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lesion.errors import RunError
from lesion.roi import cut
from training.phantom.ood_lesions import GENERATOR, Kind, draw
from training.pipeline.tasks import Arrays, TaskKind


@dataclass(frozen=True, slots=True)
class OodLesionsConfig:
    """So many neighbours of a kind (`training.phantom.neighbours.KINDS`)."""

    kind: Kind
    seed: int
    count: int
    generator: int = GENERATOR


def _draw(config: OodLesionsConfig, _inputs: Mapping[str, Arrays]) -> Arrays:
    if config.generator != GENERATOR:
        raise RunError(f"found neighbours {GENERATOR} here, expected {config.generator}")
    patches = []
    for index in range(config.count):
        one = draw(config.seed, config.kind, index)
        if one.ct.spacing_mm is None:
            raise RunError(f"{config.kind}: found a slice without spacing")
        patches.append(cut(one.ct.hu, one.ct.spacing_mm, one.outline))
    return {"originals": np.stack(patches)}


OOD_LESIONS = TaskKind("neighbours", _draw)
