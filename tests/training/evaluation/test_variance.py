import numpy as np
import pytest

from training.evaluation.variance import spread


def test_describes_runs():
    found = spread(np.array([0.70, 0.74, 0.81]))
    assert (found.runs, found.mean, found.low, found.high) == (3, pytest.approx(0.75), 0.70, 0.81)
    assert found.sd.value == pytest.approx(np.sqrt((0.05**2 + 0.01**2 + 0.06**2) / 2))
    assert found.sd.low / found.sd.value == pytest.approx(0.521, abs=1e-3)  # table of chi-squared
    assert found.sd.high / found.sd.value == pytest.approx(6.285, abs=1e-3)


def test_nineteen_of_twenty_intervals_hold_the_true_sd():
    runs = np.random.default_rng(9).normal(0.8, 0.03, (1000, 6))
    held = [s.sd.low <= 0.03 <= s.sd.high for s in map(spread, runs)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_one_run_has_no_spread():
    with pytest.raises(ValueError, match="found 1 runs"):
        spread(np.array([0.8]))
