"""A number is read as it is written, or not at all."""

import time
from math import isinf, isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesion.numerals import number, whole_number


@given(st.floats(allow_nan=False) | st.integers(-(10**20), 10**20))
def test_reads_what_python_writes(value):
    assert number(str(value)) == float(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+1.5", 1.5), ("-.5", -0.5), ("3.", 3.0), ("007", 7.0), (" 0.8", 0.8), ("0.8 ", 0.8),
        ("1E3", 1000.0), ("2e-2", 0.02),
    ],
)  # fmt: skip
def test_reads_what_people_and_scanners_write(text, expected):
    assert number(text) == expected


def test_what_is_not_finite_is_for_the_caller_to_refuse():
    assert isnan(number("nan"))
    assert isinf(number("-Inf"))
    assert isinf(number("1e999"))


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1_0", "1__0", "٣", "1٠", "²", "½", "0x10", "1,5", "1 0", "1\n", "\t1", "\xa01",
        "infinity", "nane5", "1e", "e5", ".", "-", "+-1", "one", "1j",
    ],
)  # fmt: skip
def test_refuses_what_python_might_read(text):
    with pytest.raises(ValueError, match="decimal digits"):
        number(text)


@pytest.mark.parametrize("text", ["1" * 1_000_000 + "x", " " * 1_000_000, "." * 1_000_000])
def test_refuses_in_time_that_grows_with_the_text(text):
    began = time.process_time()
    with pytest.raises(ValueError, match="decimal digits"):
        number(text)
    assert time.process_time() - began < 0.5


def test_whole_numbers():
    assert [whole_number(text) for text in ("0", "007", "1.0", "9" * 19)] == [0, 7, 1, 10**19 - 1]
    for text in ("", "-1", "+1", "1.5", "1e3", "1_0", "0x1", "٣", " 1", "1.", "9" * 20):
        with pytest.raises(ValueError, match="no whole number"):
            whole_number(text)
