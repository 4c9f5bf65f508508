"""The arms beyond the paper: what each is trained on, and that it is nothing it may not see."""

import numpy as np
import pytest

from lesion.classes import CLASSES
from lesion.errors import RunError
from training.experiment.fresh import lesions
from training.experiment.presets import QUICK
from training.experiment.sections import beyond, cohorts
from training.experiment.splits import Split, part
from training.experiment.work.filtered import FILTERED, Filter
from training.experiment.work.joined import JOINED, OTHER, Join
from training.experiment.work.mixed import FURTHER_HOSTS, MIXED, Mixing
from training.experiment.work.surroundings import SURROUNDINGS

TRIAL = cohorts.trials(QUICK)[0]
BEST = (2000, 500)


@pytest.fixture(params=beyond.ARMS)
def arm(request):
    return request.param, beyond.arm(TRIAL, request.param, best=BEST)


def test_every_arm_differs_from_the_synthetic_one_by_its_images_alone(arm):
    name, cell = arm
    theirs = cohorts.arm(TRIAL, "synthetic", best=BEST)
    assert cell.config.preset == theirs.config.preset
    assert cell.config.seed == theirs.config.seed
    assert cell.config.data.classic_per_fold == theirs.config.data.classic_per_fold
    per_class = cell.config.data.synthetic_per_class
    assert per_class == (125 if name == "fewer" else 500)
    judged = {role: one for role, one in theirs.inputs.items() if role.startswith("judged-")}
    assert judged.items() <= cell.inputs.items()


def test_no_image_is_made_with_lesions_that_judge(arm):
    _, cell = arm

    def behind(one):
        return {one} | {each for needed in one.inputs.values() for each in behind(needed)}

    fresh = set(lesions(QUICK))
    images = [one for role, one in cell.inputs.items() if role.startswith("synthetic")]
    assert images
    for one in images:
        of = {each for each in behind(one) if each.work.name == "phantom"}
        # A filter's judge has judged fresh lesions as well, and is asked for its synthetic ones.
        assert of <= {TRIAL.cohort, *(fresh if one.work is FILTERED else set())}
        around = {each.config for each in behind(one) if each.work is SURROUNDINGS}
        assert {each.phantom for each in around} <= {TRIAL.cohort.config}


def logits(sure):
    """Logits whose class 0 is as sure as is said, and the others alike."""
    return np.stack([np.asarray(sure, float), *np.zeros((2, len(sure)))], axis=1)


def test_the_filter_keeps_the_surest_of_each_class_in_their_order():
    images = {f"synthetic-{n}": {"images": np.arange(4.0).reshape(1, 4, 1, 1)} for n in CLASSES}
    rolled = [np.roll(logits([0, 9, 1, 8]), label, axis=1) for label in range(3)]
    judge = {f"logits_synthetic-{n}": said for n, said in zip(CLASSES, rolled, strict=True)}
    kept = FILTERED.compute(Filter(2, of=4), images | {"judge": judge})["images"]
    assert kept.reshape(3, 2).tolist() == [[1, 3]] * 3
    one = {"synthetic": {"images": np.arange(12.0).reshape(3, 4, 1, 1)}}
    judge = {"logits_synthetic": np.concatenate(rolled)}
    kept = FILTERED.compute(Filter(2, of=4), one | {"judge": judge})["images"]
    assert kept.reshape(3, 2).tolist() == [[1, 3], [5, 7], [9, 11]]


def test_the_filter_looks_at_so_many_however_many_there_are():
    images = {f"synthetic-{n}": {"images": np.arange(4.0).reshape(1, 4, 1, 1)} for n in CLASSES}
    rolled = [np.roll(logits([0, 1, 9, 8]), label, axis=1) for label in range(3)]
    judge = {f"logits_synthetic-{n}": said for n, said in zip(CLASSES, rolled, strict=True)}
    kept = FILTERED.compute(Filter(1, of=2), images | {"judge": judge})["images"]
    assert kept.ravel().tolist() == [1, 1, 1]


def test_the_filter_refuses_too_few():
    images = {"synthetic": {"images": np.zeros((3, 4, 1, 1))}}
    judge = {"logits_synthetic": np.zeros((12, 3))}
    with pytest.raises(RunError, match="found 4 synthetic images, expected 5"):
        FILTERED.compute(Filter(2, of=5), images | {"judge": judge})


def test_two_sources_are_joined_half_and_half_class_by_class():
    own = {
        f"synthetic-{n}": {"images": np.arange(4.0)[None] + 10 * i} for i, n in enumerate(CLASSES)
    }
    other = {OTHER: {"images": -np.arange(12.0).reshape(3, 4)}}
    joined = JOINED.compute(Join(5), own | other)["images"]
    assert joined.tolist() == [[0, 1, 0, -1, -2], [10, 11, -4, -5, -6], [20, 21, -8, -9, -10]]
    with pytest.raises(RunError, match="found 4 images of a class, expected 5"):
        JOINED.compute(Join(9), own | other)


@pytest.mark.parametrize("way", ["blended", "transplanted", "rescanned", "recomposed", "resettled"])
def test_mixtures_are_of_lesions_that_may_be_trained_on(way):
    rng = np.random.default_rng(0)
    classes = np.tile([0, 1, 2], 12)
    patients = np.array([f"p{i // 3}" for i in range(36)])
    hu = (100 + 10 * rng.normal(size=(36, 64, 64))).astype(np.float32)
    cohort = {
        "lesion_ids": np.arange(36).astype(str),
        "patient_ids": patients,
        "classes": classes,
        "diameter_mm": np.full(36, 20.0),
        "originals": hu,
        "variants": np.repeat(hu[:, None], 2, axis=1).astype(np.float16),
    }
    config = Mixing(way, Split(1, fold=0), 2, 5, seed=3)
    hosts = {"patient_ids": np.repeat(patients, 3), "squares": np.repeat(hu, 3, axis=0)}
    images = MIXED.compute(config, {"cohort": cohort, FURTHER_HOSTS: hosts})["images"]
    assert images.shape == (3, 5, 64, 64)
    assert 0 <= images.min() < images.max() <= 1
    again = MIXED.compute(config, {"cohort": cohort, FURTHER_HOSTS: hosts})["images"]
    assert np.array_equal(images, again)
    # Lesions of the held-out fold may be anything at all, and what is around them.
    chosen, held_out = part(config.split, classes, patients)
    other = {name: np.array(values) for name, values in cohort.items()}
    around = {name: np.array(values) for name, values in hosts.items()}
    inputs = {"cohort": other, FURTHER_HOSTS: around}
    other["originals"][held_out] = 1e4
    other["variants"][held_out] = 1e4
    around["squares"][np.repeat(held_out, 3)] = 1e4
    assert np.array_equal(MIXED.compute(config, inputs)["images"], images)
    if way == "resettled":
        around["squares"][np.repeat(chosen, 3)] += 50
        assert not np.array_equal(MIXED.compute(config, inputs)["images"], images)
    other["originals"][chosen] += 50
    other["variants"][chosen] += 50
    assert not np.array_equal(MIXED.compute(config, inputs)["images"], images)
