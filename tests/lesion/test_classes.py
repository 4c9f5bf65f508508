"""A class without a code in a public scheme gets one of our own."""

import re

import pytest

from lesion.classes import NAME_PATTERN, OWN_SCHEME, UNDETERMINED, own_code


@pytest.mark.parametrize("name", ["adenoma", "focal_nodular_hyperplasia", "a" * 32])
def test_a_code_of_our_own_fits_what_dicom_holds(name):
    assert re.fullmatch(NAME_PATTERN, name)
    code = own_code(name)
    assert code.scheme == OWN_SCHEME == "99HEPATICA"
    assert 1 <= len(code.value) <= 16
    assert len(code.meaning) <= 64


def test_codes_of_names_with_one_beginning_differ():
    names = ["focal_nodular_hyperplasia", "focal_nodular_hyperplasia_2", "focal_nodular"]
    assert len({own_code(name).value for name in names}) == 3
    assert own_code("focal_nodular_hyperplasia").meaning == "Focal nodular hyperplasia"


def test_what_is_undetermined_is_a_lesion_of_the_liver():
    assert UNDETERMINED.scheme == "SCT"
    assert UNDETERMINED.value == "300331000"
