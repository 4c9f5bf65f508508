import pytest

from training.evaluation.metrics import Interval
from training.reproduction.claims import rules

YES, NO, OPEN = "consistent", "not consistent", "undecided"


def decide(rule, low, high, paper=None):
    return rule.decide(Interval((low + high) / 2, low, high), paper)


@pytest.mark.parametrize(
    ("low", "high", "paper", "verdict"),
    [
        (0.01, 0.09, 0.07, YES),
        (0.001, 0.01, 0.07, YES),  # direction; that it is small is said by its size
        (-0.01, 0.03, 0.07, OPEN),
        (-0.01, 0.02, 0.07, NO),  # a third of seven points is excluded
        (-0.01, 0.02, None, OPEN),
        (-0.03, -0.01, None, NO),
        (0.0, 0.05, 0.07, OPEN),  # an interval that touches 0 does not lie above it
    ],
)
def test_better(low, high, paper, verdict):
    assert decide(rules.BETTER, low, high, paper) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.01, 0.08, YES), (-0.01, 0.08, OPEN), (0.01, 0.06, NO), (0.08, 0.1, NO), (-0.02, 0.01, NO)],
)
def test_of_size(low, high, verdict):
    assert decide(rules.OF_SIZE, low, high, 0.07) == verdict


def test_a_size_needs_the_papers_figure():
    with pytest.raises(ValueError, match="found no figure"):
        decide(rules.OF_SIZE, 0.0, 0.1)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.01, 0.019, YES), (0.005, 0.019, YES), (0.005, 0.03, NO), (-0.01, 0.03, OPEN)],
)
def test_no_more(low, high, verdict):
    assert decide(rules.NO_MORE, low, high, 0.0) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.04, 0.04, YES), (-0.04, 0.06, OPEN), (0.051, 0.1, NO), (-0.1, -0.051, NO)],
)
def test_on_a_par(low, high, verdict):
    assert decide(rules.ON_A_PAR, low, high, 0.043) == verdict


@pytest.mark.parametrize(
    ("low", "high", "paper", "verdict"),
    [
        (-0.02, 0.04, 0.028, YES),  # a pair that the paper sets no further apart
        (-0.02, 0.04, 0.115, OPEN),
        (0.01, 0.04, 0.115, YES),
        (-0.04, -0.01, 0.028, NO),
        (-0.04, -0.01, 0.115, NO),
    ],
)
def test_in_order(low, high, paper, verdict):
    assert decide(rules.IN_ORDER, low, high, paper) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.6, 0.9, YES), (0.4, 0.9, OPEN), (0.2, 0.4, NO)]
)
def test_mostly(low, high, verdict):
    assert decide(rules.MOSTLY, low, high, 0.9) == verdict


def test_without_people_nothing_is_decided():
    assert decide(rules.NEEDS_PEOPLE, 0.4, 0.5) == "not tested"


@pytest.mark.parametrize(
    ("verdicts", "together"),
    [
        ([YES, YES], YES),
        ([YES, OPEN], OPEN),
        ([YES, "not tested", OPEN], "not tested"),
        ([NO, "not tested", OPEN, YES], NO),
    ],
)
def test_all_must_hold_and_one_contradiction_is_enough(verdicts, together):
    assert rules.combine(verdicts) == together


@pytest.mark.parametrize(
    ("low", "high", "where"), [(0.0, 0.06, "below"), (0.0, 0.07, "includes"), (0.08, 0.1, "above")]
)
def test_size(low, high, where):
    assert rules.size(Interval(0.05, low, high), 0.07).startswith(where)
