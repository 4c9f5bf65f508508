"""The paper's own tables are the oracle."""

from statistics import NormalDist

import numpy as np
import pytest

from training import metrics

CNN_AUG = np.array([[52, 1, 0], [2, 44, 18], [0, 18, 47]])  # Table 2
CNN_AUG_GAN = np.array([[53, 0, 0], [2, 52, 10], [1, 13, 51]])  # Table 3


@pytest.mark.parametrize(
    ("counts", "accuracy", "sensitivity", "specificity"),
    [
        (CNN_AUG, 78.6, (98.1, 68.7, 72.3), (98.4, 83.9, 84.6)),
        (CNN_AUG_GAN, 85.7, (100, 81.2, 78.5), (97.7, 89.0, 91.4)),
    ],
)
def test_gives_the_papers_figures_of_the_papers_confusion(
    counts, accuracy, sensitivity, specificity
):
    within = {"abs": 0.1}  # the paper rounds in more than one way
    assert 100 * metrics.accuracy(counts).value == pytest.approx(accuracy, **within)
    found = [100 * i.value for i in metrics.sensitivity(counts)]
    assert found == pytest.approx(sensitivity, **within)
    found = [100 * i.value for i in metrics.specificity(counts)]
    assert found == pytest.approx(specificity, **within)


def test_wilson_intervals_of_the_papers_two_results():
    assert metrics.wilson(143, 182)[1:] == pytest.approx((0.721, 0.839), abs=5e-4)
    assert metrics.wilson(156, 182)[1:] == pytest.approx((0.799, 0.901), abs=5e-4)


def test_a_wilson_bound_solves_the_score_equation():
    value, low, high = metrics.wilson(17, 40)
    z = NormalDist().inv_cdf(0.975)
    for bound in (low, high):
        assert abs(value - bound) == pytest.approx(z * np.sqrt(bound * (1 - bound) / 40))


def test_confusion_has_the_truth_in_rows():
    counts = metrics.confusion(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1]))
    assert counts.tolist() == [[1, 0, 1], [0, 1, 0], [0, 1, 0]]


def test_calibration_error_of_a_sure_and_a_lying_classifier():
    truth = np.array([0, 1, 2, 0])
    assert metrics.expected_calibration_error(np.eye(3)[truth], truth) == 0
    assert metrics.expected_calibration_error(np.eye(3)[(truth + 1) % 3], truth) == 1


def test_negative_log_likelihood_of_a_coin():
    probabilities = np.full((5, 3), 1 / 3)
    assert metrics.negative_log_likelihood(probabilities, np.zeros(5, int)) == pytest.approx(
        np.log(3)
    )
