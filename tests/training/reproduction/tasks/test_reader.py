"""What a machine reader is shown."""

import numpy as np
import pytest

from training.phantom.classes import CLASSES
from training.reproduction.tasks import reader
from training.reproduction.tasks.reader import READER, Reader

SHARES = (14, 13, 13)


@pytest.fixture(params=[True, False], ids=["one network", "one for each class"])
def inputs(discs, store, request):
    """The cohort and the spare images, in the order in which sections name them."""
    rng = np.random.default_rng(0)
    roles = ["acgan"] if request.param else [f"dcgan-{name}" for name in CLASSES]
    shape = (len(CLASSES) // len(roles), 16, 64, 64)
    return {"cohort": store.load(discs)} | {
        f"{role} {fold}": {"images": rng.random(shape).astype(np.float16)}
        for fold in range(3)
        for role in roles
    }


@pytest.fixture
def shown(monkeypatch):
    """Every set of images that is described for the reader; a few pixels stand for features."""
    sets = []

    def describe(hu):
        sets.append(hu)
        return hu.reshape(len(hu), -1)[:, ::331]

    monkeypatch.setattr(reader.haralick, "describe", describe)
    monkeypatch.setattr(reader.gabor, "describe", describe)
    return sets


def test_is_shown_as_many_synthetic_lesions_as_the_papers_readers(inputs):
    outputs = READER.compute(Reader(SHARES, 1), inputs)
    assert (~outputs["real"]).sum() == 120
    assert outputs["real"].sum() == len(inputs["cohort"]["classes"])
    assert len(outputs["called_real"]) == len(outputs["real"]) == len(outputs["lesions"])


def test_is_shown_them_fold_by_fold_and_class_by_class_in_whatever_order_they_come(inputs, shown):
    one, other = (
        READER.compute(Reader(SHARES, 1), dict(items))
        for items in (inputs.items(), reversed(inputs.items()))
    )
    assert all(np.array_equal(one[name], other[name]) for name in one)
    expected = [
        of_class[: SHARES[int(role[-1])]]
        for role, arrays in inputs.items()
        if role != "cohort"
        for of_class in arrays["images"]
    ]
    low, high = reader.HU_WINDOW
    for hu in shown:
        synthetic = (hu[len(inputs["cohort"]["classes"]) :] - low) / (high - low)
        np.testing.assert_allclose(synthetic, np.concatenate(expected), atol=1e-5)
    assert len(shown) == 4
