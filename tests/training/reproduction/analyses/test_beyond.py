"""The arms beyond the paper: what each is trained on, and that it is nothing it may not see."""

import numpy as np
import pytest

from training.data.splits import Split, split_lesions
from training.phantom.classes import CLASSES
from training.presets import QUICK_GRID
from training.reproduction.analyses import beyond, cohorts
from training.reproduction.tasks.mixing import FURTHER_HOSTS, MIXED, MixingConfig
from training.reproduction.tasks.surroundings import SURROUNDINGS

TRIAL = cohorts.protocol_runs(QUICK_GRID)[0]
BEST = (2000, 500)


@pytest.fixture(params=beyond.ARMS)
def arm(request):
    return request.param, beyond.arm(TRIAL, request.param, best=BEST)


def test_every_arm_differs_from_the_synthetic_one_by_its_images_alone(arm):
    name, task = arm
    theirs = cohorts.arm(TRIAL, "gan", best=BEST)
    assert task.config.preset == theirs.config.preset
    assert task.config.seed == theirs.config.seed
    assert task.config.data.classic_per_fold == theirs.config.data.classic_per_fold
    per_class = task.config.data.synthetic_per_class
    assert per_class == (125 if name == "fewer" else 500)
    judged = {role: one for role, one in theirs.inputs.items() if role.startswith("judged-")}
    assert judged
    assert judged.items() <= task.inputs.items()


def test_no_image_is_made_with_lesions_that_judge(arm):
    _, task = arm

    def behind(one):
        return {one} | {each for needed in one.inputs.values() for each in behind(needed)}

    images = [one for role, one in task.inputs.items() if role.startswith("synthetic")]
    assert images
    for one in images:
        of = {each for each in behind(one) if each.kind.name == "phantom"}
        assert of <= {TRIAL.cohort}
        around = {each.config for each in behind(one) if each.kind is SURROUNDINGS}
        assert {each.phantom for each in around} <= {TRIAL.cohort.config}


@pytest.mark.parametrize("way", ["mixup", "background_transfer", "composite", "normal_background"])
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
    config = MixingConfig(way, Split(1, fold=0), 2, 5, seed=3)
    hosts = {"patient_ids": np.repeat(patients, 3), "squares": np.repeat(hu, 3, axis=0)}
    images = MIXED.compute(config, {"cohort": cohort, FURTHER_HOSTS: hosts})["images"]
    assert images.shape == (3, 5, 64, 64)
    assert 0 <= images.min() < images.max() <= 1
    again = MIXED.compute(config, {"cohort": cohort, FURTHER_HOSTS: hosts})["images"]
    assert np.array_equal(images, again)
    # Lesions of the held-out fold may be anything at all, and what is around them.
    chosen, held_out = split_lesions(config.split, classes, patients, names=CLASSES)
    other = {name: np.array(values) for name, values in cohort.items()}
    around = {name: np.array(values) for name, values in hosts.items()}
    inputs = {"cohort": other, FURTHER_HOSTS: around}
    other["originals"][held_out] = 1e4
    other["variants"][held_out] = 1e4
    around["squares"][np.repeat(held_out, 3)] = 1e4
    assert np.array_equal(MIXED.compute(config, inputs)["images"], images)
    if way == "normal_background":
        around["squares"][np.repeat(chosen, 3)] += 50
        assert not np.array_equal(MIXED.compute(config, inputs)["images"], images)
    other["originals"][chosen] += 50
    other["variants"][chosen] += 50
    assert not np.array_equal(MIXED.compute(config, inputs)["images"], images)
