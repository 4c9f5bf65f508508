import numpy as np
import pytest
from scipy import stats

from training.evaluation.metrics import Interval
from training.evaluation.t_tests import TTest, mean_test, t_test


def test_is_the_one_sample_t_test():
    values = np.random.default_rng(0).normal(0.3, 1, 12)
    oracle = stats.ttest_1samp(values, 0)
    found = mean_test(values)
    assert found == t_test(values.mean(), stats.sem(values), degrees=11)
    assert found.p == pytest.approx(oracle.pvalue)
    assert found.difference[1:] == pytest.approx(tuple(oracle.confidence_interval()))


@pytest.mark.parametrize(("mean", "p"), [(0.0, 1.0), (0.02, 0.0), (-0.02, 0.0)])
def test_without_spread_the_interval_is_a_point(mean, p):
    assert t_test(mean, 0.0, degrees=4) == TTest(Interval(mean, mean, mean), p)
