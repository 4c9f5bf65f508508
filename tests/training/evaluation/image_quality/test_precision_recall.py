import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.evaluation.image_quality import precision_recall


def radius(points, i, nearest):
    others = [np.linalg.norm(points[i] - points[j]) for j in range(len(points)) if j != i]
    return sorted(others)[nearest - 1]


def within(points, centres, nearest):
    """For each point, in how many of the centres' balls it lies."""
    return [
        sum(np.linalg.norm(p - c) <= radius(centres, i, nearest) for i, c in enumerate(centres))
        for p in points
    ]


def by_hand(real, synthetic, nearest):
    in_real, in_synthetic = within(synthetic, real, nearest), within(real, synthetic, nearest)
    covered = [
        any(np.linalg.norm(s - r) <= radius(real, i, nearest) for s in synthetic)
        for i, r in enumerate(real)
    ]
    return (
        np.mean([count > 0 for count in in_real]),
        np.mean([count > 0 for count in in_synthetic]),
        np.mean(in_real) / nearest,
        np.mean(covered),
    )


@settings(max_examples=25)
@given(
    seed=st.integers(0, 99),
    n=st.integers(6, 15),
    m=st.integers(6, 15),
    nearest=st.integers(1, 5),
    shift=st.floats(0, 2),
)
def test_is_the_brute_force_count(seed, n, m, nearest, shift):
    rng = np.random.default_rng(seed)
    real, synthetic = rng.normal(size=(n, 3)), rng.normal(shift, 1, (m, 3))
    found = precision_recall.measure(real, synthetic, nearest=nearest)
    assert found == pytest.approx(by_hand(real, synthetic, nearest))


def test_a_set_covers_itself():
    points = np.random.default_rng(0).normal(size=(30, 4))
    precision, recall, density, coverage = precision_recall.measure(points, points)
    assert precision == recall == coverage == 1
    # Each point is in the balls that hold it and in its own: (5 + 1) / 5 on the mean.
    assert density == pytest.approx(6 / 5)


def test_a_collapsed_generator_is_precise_and_recalls_nothing():
    rng = np.random.default_rng(0)
    real = rng.normal(size=(100, 2))
    found = precision_recall.measure(real, real[:1] + rng.normal(0, 1e-6, (100, 2)))
    assert found.precision == 1
    assert found.recall <= 0.01
    assert found.coverage < 0.2


def test_one_far_real_image_raises_precision_but_hardly_density():
    # Naeem et al. 2020, figure 3: an outlier's ball is wide and holds whatever lies about.
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(100, 2)), rng.normal(8, 0.5, (100, 2))
    outlier = np.concatenate([real, [[16.0, 16.0]]])
    assert precision_recall.measure(real, synthetic).precision == 0
    found = precision_recall.measure(outlier, synthetic)
    assert found.precision > 0.9
    assert found.density <= 0.2


@pytest.mark.parametrize(("n", "m", "nearest"), [(20, 60, 5), (30, 10, 3)])
def test_expects_of_good_images_what_they_give_on_average(n, m, nearest):
    rng = np.random.default_rng(0)
    found = np.array(
        [
            precision_recall.measure(
                rng.normal(size=(n, 2)), rng.normal(size=(m, 2)), nearest=nearest
            )
            for _ in range(600)
        ]
    )
    error = found.std(axis=0) / np.sqrt(len(found))
    expected = precision_recall.expected_coverage(n, m, nearest=nearest)
    assert abs(found[:, 3].mean() - expected) < 4 * error[3]
    assert abs(found[:, 2].mean() - 1) < 4 * error[2]  # density


def test_covered_marks_what_coverage_counts():
    rng = np.random.default_rng(0)
    real, synthetic = rng.normal(size=(40, 3)), rng.normal(1, 1, (25, 3))
    covered = precision_recall.covered(real, synthetic, nearest=3)
    assert covered.mean() == precision_recall.measure(real, synthetic, nearest=3).coverage
    assert 0 < covered.mean() < 1


def test_refuses_fewer_images_than_neighbours():
    with pytest.raises(ValueError, match="found 5 images, expected more than 5"):
        precision_recall.measure(np.eye(5), np.eye(9)[:, :5])
