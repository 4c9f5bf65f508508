import json
from dataclasses import replace

import numpy as np
import pytest

from lesion.errors import CohortError
from lesion.roi import cut as cut_patch
from training.data import patches
from training.data.augment import Augmentation
from training.presets import SMOKE_BUNDLE


def test_the_originals_are_the_services_patches_bit_for_bit(cohort, cut):
    for row, lesion in enumerate(cohort.lesions):
        served = cut_patch(lesion.ct.hu, lesion.ct.spacing_mm, lesion.outline)
        assert np.array_equal(cut.originals[row], served)


def test_keeps_every_variant_of_every_lesion(cohort, cut):
    count = SMOKE_BUNDLE.augmentation.count
    assert cut.variants.shape == (len(cohort.lesions), count, 64, 64)
    assert all(len(np.unique(v.reshape(count, -1), axis=0)) == count for v in cut.variants)


def test_rows_know_their_lesion(cohort, cut):
    assert cut.lesion_ids == tuple(lesion.lesion_id for lesion in cohort.lesions)
    assert cut.patient_ids == tuple(lesion.patient_id for lesion in cohort.lesions)
    assert cut.class_list == cohort.classes
    assert [cut.class_names[k] for k in cut.classes] == [
        lesion.lesion_class for lesion in cohort.lesions
    ]


def test_keeps_the_columns_that_a_cohort_declares(cohort, tmp_path):
    lesion = replace(cohort.lesions[0], strata={"phase": "portal"})
    one = replace(cohort, lesions=(lesion,))
    patches.cut_cohort(one, tmp_path, augmentation=SMOKE_BUNDLE.augmentation, seed=7)
    (kept,) = json.loads((tmp_path / "lesions.json").read_text())["lesions"]
    assert kept["strata"] == {"phase": "portal"}


def test_knows_what_it_has_cut(cohort, tmp_path):
    how = {"fingerprint": cohort.fingerprint, "augmentation": SMOKE_BUNDLE.augmentation, "seed": 7}
    assert not patches.is_cut(tmp_path, **how)
    patches.cut_cohort(cohort, tmp_path, augmentation=SMOKE_BUNDLE.augmentation, seed=7)
    assert patches.is_cut(tmp_path, **how)
    assert not patches.is_cut(tmp_path, **{**how, "seed": 8})
    assert not patches.is_cut(tmp_path, **{**how, "fingerprint": "1" * 64})
    assert not patches.is_cut(tmp_path, **{**how, "augmentation": Augmentation()})


def test_what_is_cut_anew_is_not_taken_for_whole_before_it_is(cohort, tmp_path):
    how = {"augmentation": SMOKE_BUNDLE.augmentation, "seed": 7}
    patches.cut_cohort(cohort, tmp_path, **how)

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        patches.cut_cohort(cohort, tmp_path, **{**how, "seed": 8}, advance=interrupt)
    assert not patches.is_cut(tmp_path, fingerprint=cohort.fingerprint, **how)


def test_refuses_a_slice_of_unknown_spacing(cohort, tmp_path):
    lesion = cohort.lesions[0]
    unknown = replace(lesion, ct=replace(lesion.ct, spacing_mm=None))
    with pytest.raises(CohortError, match="without spacing"):
        patches.cut_cohort(
            replace(cohort, lesions=(unknown,)),
            tmp_path,
            augmentation=SMOKE_BUNDLE.augmentation,
            seed=7,
        )


def test_a_lesions_variants_do_not_depend_on_the_others(cohort, cut, tmp_path):
    alone = replace(cohort, lesions=cohort.lesions[5:6])
    patches.cut_cohort(alone, tmp_path, augmentation=SMOKE_BUNDLE.augmentation, seed=7)
    assert np.array_equal(patches.load(tmp_path).variants[0], cut.variants[5])
