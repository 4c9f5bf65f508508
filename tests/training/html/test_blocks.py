"""How numbers are written."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.html import blocks
from training.html.blocks import NOTHING


@pytest.mark.parametrize(
    ("found", "text", "quiet"),
    [
        (0.857142, "85.7", ""),
        ([0.786, 0.7206, 0.8391], "78.6", "(72.1 to 83.9)"),
        (0, "0.0", ""),
        (None, "–", ""),
        (float("nan"), "–", ""),
        ([0.5, None, None], "50.0", ""),
    ],
)
def test_percent(found, text: str, quiet: str) -> None:
    assert blocks.percent(found)[:2] == (text, quiet)


@pytest.mark.parametrize(
    ("found", "text"),
    [(0.0714, "+7.1"), (-0.02, "−2.0"), (0.0, "0.0"), (-0.0004, "0.0"), (0.0004, "0.0")],
)
def test_a_difference_has_a_sign_unless_it_is_nothing(found: float, text: str) -> None:
    assert blocks.points(found).text == text


def test_an_interval_has_signs_too() -> None:
    assert blocks.points([0.009, -0.001, 0.019]).quiet == "(−0.1 to +1.9)"


@given(st.floats(0, 1))
def test_no_percent_is_far_from_its_value(value: float) -> None:
    assert math.isclose(float(blocks.percent(value).text), 100 * value, abs_tol=0.0500001)


@pytest.mark.parametrize(
    ("value", "error", "written"),
    [
        (560.0127, 43.81, ("560", "(± 44)")),
        (2.41303, 0.2475, ("2.41", "(± 0.25)")),
        (0.01234, 0.00123, ("0.0123", "(± 0.0012)")),
        (-0.2, 1.4, ("−0.2", "(± 1.4)")),
        (1.0, 0.0, ("1.00", "(± 0.00)")),
    ],
)
def test_a_measure_has_the_digits_that_its_error_allows(value, error, written) -> None:
    assert blocks.measured(value, error)[:2] == written


@pytest.mark.parametrize(
    ("p", "written"), [(0.0349, ".035"), (0.00004, "< .001"), (1.0, "1"), (0.5, ".5")]
)
def test_p_value(p: float, written: str) -> None:
    assert blocks.p_value(p) == written


def test_thousands_are_apart() -> None:
    assert blocks.count(10_000).text == "10\u202f000"


def test_what_the_paper_does_not_give_is_a_dash() -> None:
    assert blocks.printed(None) is NOTHING
