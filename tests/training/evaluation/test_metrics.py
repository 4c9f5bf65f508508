"""The paper's own tables are the oracle."""

from statistics import NormalDist

import numpy as np
import pytest

from training.evaluation import metrics
from training.phantom.classes import CLASSES
from training.reproduction import paper


@pytest.mark.parametrize(
    ("table", "network"), [(paper.TABLE_2, "CNN-AUG"), (paper.TABLE_3, "CNN-AUG-GAN")]
)
def test_gives_the_papers_figures_of_the_papers_confusion(table, network):
    counts, within = np.array(table), {"abs": 0.1}  # the paper rounds in more than one way
    assert 100 * metrics.accuracy(counts).value == pytest.approx(
        paper.TABLE_6[network].sensitivity, **within
    )
    classes = [paper.TABLE_7[network][name] for name in CLASSES]
    found = [100 * i.value for i in metrics.sensitivity(counts)]
    assert found == pytest.approx([row.sensitivity for row in classes], **within)
    found = [100 * i.value for i in metrics.specificity(counts)]
    assert found == pytest.approx([row.specificity for row in classes], **within)


def test_wilson_intervals_of_the_papers_two_results():
    assert metrics.wilson(143, 182)[1:] == pytest.approx((0.721, 0.839), abs=5e-4)
    assert metrics.wilson(156, 182)[1:] == pytest.approx((0.799, 0.901), abs=5e-4)


def test_a_wilson_bound_solves_the_score_equation():
    value, low, high = metrics.wilson(17, 40)
    z = NormalDist().inv_cdf(0.975)
    for bound in (low, high):
        assert abs(value - bound) == pytest.approx(z * np.sqrt(bound * (1 - bound) / 40))


def test_confusion_has_the_truth_in_rows():
    counts = metrics.confusion(np.array([0, 0, 1, 2]), np.array([0, 2, 1, 1]), classes=3)
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


def test_coverage_and_size_of_prediction_sets_by_class():
    truth = np.array([0, 0, 0, 0, 1])
    sets = np.array([[1, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]], bool)
    cyst, metastasis, hemangioma = metrics.coverage(sets, truth)
    assert cyst == metrics.wilson(2, 4)
    assert metastasis == metrics.wilson(1, 1)
    assert hemangioma[1:] == (0, 1)  # none was there to be covered
    assert metrics.set_size(sets, truth) == pytest.approx([5 / 4, 2, np.nan], nan_ok=True)
