"""What a machine reader is shown."""

import numpy as np
import pytest

from lesion.classes import CLASSES
from training.experiment.work.reader import READER, Reader


@pytest.mark.parametrize("one_network", [True, False])
def test_is_shown_as_many_synthetic_lesions_as_the_papers_readers(discs, store, one_network):
    rng = np.random.default_rng(0)
    roles = ["acgan"] if one_network else [f"dcgan-{name}" for name in CLASSES]
    shape = (3 if one_network else 1, 16, 64, 64)
    inputs = {"cohort": store.load(discs)} | {
        f"{role} {fold}": {"images": rng.random(shape).astype(np.float16)}
        for fold in range(3)
        for role in roles
    }
    said = READER.compute(Reader((14, 13, 13), 1), inputs)
    assert (~said["real"]).sum() == 120
    assert said["real"].sum() == len(inputs["cohort"]["classes"])
    assert len(said["called_real"]) == len(said["real"]) == len(said["lesions"])
