"""Single fields of a preset, set on the command line."""

from dataclasses import replace

import pytest

from lesion.errors import RunError
from training import overrides
from training.data.augment import Augmentation
from training.presets import BUNDLES, GRIDS, PAPER_GRID, SMOKE_BUNDLE, SMOKE_GRID


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("cnn.epochs=3", replace(SMOKE_BUNDLE, cnn=replace(SMOKE_BUNDLE.cnn, epochs=3))),
        ("cnn.dropout=0", replace(SMOKE_BUNDLE, cnn=replace(SMOKE_BUNDLE.cnn, dropout=0.0))),
        ("cnn.updates=7", replace(SMOKE_BUNDLE, cnn=replace(SMOKE_BUNDLE.cnn, updates=7))),
        ("cnn.updates=null", SMOKE_BUNDLE),
        ("cnn.schedule=onecycle",
         replace(SMOKE_BUNDLE, cnn=replace(SMOKE_BUNDLE.cnn, schedule="onecycle"))),
        ("equal_updates=false", replace(SMOKE_BUNDLE, equal_updates=False)),
        ("final_gan.kind=acgan",
         replace(SMOKE_BUNDLE, final_gan=replace(SMOKE_BUNDLE.final_gan, kind="acgan"))),
        ("augmentation.rotations=2", replace(SMOKE_BUNDLE, augmentation=Augmentation(2, 1, 1))),
    ],
)  # fmt: skip
def test_sets_one_field(assignment, expected):
    assert overrides.apply(SMOKE_BUNDLE, [assignment]) == expected


def test_sets_one_after_the_other_and_tuples_and_one_generator_of_several():
    found = overrides.apply(SMOKE_GRID, ["classic=[0, 12]", "gans.acgan.width=8", "classic=[0]"])
    one, acgan, other = SMOKE_GRID.gans
    assert found == replace(SMOKE_GRID, classic=(0,), gans=(one, replace(acgan, width=8), other))


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("cnn.epochs", "expected FIELD=VALUE"),
        ("cnn.epoch=3", "found 'epoch', expected one of epochs, updates"),
        ("cnn.epochs.x=3", "found 'x', expected one of"),
        ("cnn.epochs=many", "found 'many', expected <class 'int'>"),
        ("cnn.epochs=true", "found 'true'"),
        ("cnn.epochs=1.5", "found '1.5'"),
        ("cnn.schedule=linear", "found 'linear'"),
        ("cnn=3", "found '3'"),
        ("classic=[0, 1.5]", "found"),
        ("gans.biggan.width=8", "found 'biggan', expected a field of"),
        ("gans.acgan=8", "expected a field of"),
    ],
)
def test_refuses_what_is_no_field_or_no_value_of_it(assignment, told):
    with pytest.raises(RunError, match=told):
        overrides.apply(PAPER_GRID, [assignment])


def test_every_preset_has_the_name_that_it_is_chosen_by():
    for family in (BUNDLES, GRIDS):
        assert all(preset.name == name for name, preset in family.items())
