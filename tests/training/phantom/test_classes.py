"""The three classes have one order and one code each."""

from lesion.classes import UNDETERMINED
from training.phantom.classes import CLASSES, LesionClass


def test_the_order_is_that_of_every_array():
    assert CLASSES == (LesionClass.CYST, LesionClass.METASTASIS, LesionClass.HEMANGIOMA)
    assert [str(name) for name in CLASSES] == ["cyst", "metastasis", "hemangioma"]


def test_codes_are_those_of_snomed_ct():
    codes = [*(name.code for name in CLASSES), UNDETERMINED]
    assert [code.value for code in codes] == ["85057007", "94381002", "93469006", "300331000"]
    assert {code.scheme for code in codes} == {"SCT"}
    assert all(code.meaning for code in codes)
