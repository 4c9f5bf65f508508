import numpy as np
import pytest
from sklearn.metrics.pairwise import polynomial_kernel

from training.evaluation.image_quality import kid


def by_hand(real, synthetic):
    """The double loop of Binkowski et al. 2018, equation 4."""
    n, m, d = len(real), len(synthetic), real.shape[1]

    def k(x, y):
        return (sum(a * b for a, b in zip(x, y, strict=True)) / d + 1) ** 3

    xx = sum(k(real[i], real[j]) for i in range(n) for j in range(n) if i != j)
    yy = sum(k(synthetic[i], synthetic[j]) for i in range(m) for j in range(m) if i != j)
    xy = sum(k(x, y) for x in real for y in synthetic)
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m)


def normal(n, *, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (n, 6))


def test_is_the_double_loop():
    real, synthetic = normal(9, seed=0), normal(13, seed=1, shift=0.4)
    assert kid.kid(real, synthetic, seed=0).value == pytest.approx(by_hand(real, synthetic))


def test_is_the_mean_over_random_subsets():
    real, synthetic = normal(60, seed=0), normal(80, seed=1, shift=0.3)
    rng = np.random.default_rng(2)
    subsets = [
        kid.kid(rng.permutation(real)[:20], rng.permutation(synthetic)[:20], seed=0, halves=2)
        for _ in range(800)
    ]
    values = np.array([s.value for s in subsets])
    # Subsets overlap, so their spread says how well the mean of so many is known.
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean() - kid.kid(real, synthetic, seed=0).value) < 4 * error


def test_does_not_depend_on_how_the_kernel_matrix_is_cut(monkeypatch):
    real, synthetic = normal(50, seed=0), normal(30, seed=1)
    whole = kid.kid(real, synthetic, seed=0)
    monkeypatch.setattr(kid, "_ROWS", 7)
    assert kid.kid(real, synthetic, seed=0) == pytest.approx(whole)


def test_has_mean_zero_where_the_distributions_agree():
    values = [
        kid.kid(normal(40, seed=2 * i), normal(40, seed=2 * i + 1), seed=0, halves=2).value
        for i in range(400)
    ]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values))
    assert min(values) < 0 < max(values)


def test_the_standard_error_is_the_spread_over_fresh_samples():
    found = [
        kid.kid(normal(40, seed=2 * i), normal(41, seed=2 * i + 1, shift=0.7), seed=i)
        for i in range(300)
    ]
    truth = np.std([f.value for f in found])
    assert np.mean([f.standard_error for f in found]) == pytest.approx(truth, rel=0.15)


def test_grows_with_the_distance():
    found = [
        kid.kid(normal(200, seed=0), normal(200, seed=1, shift=shift), seed=0)
        for shift in (0.0, 0.5, 1.0)
    ]
    assert abs(found[0].value) < 3 * found[0].standard_error
    assert found[0].value < found[1].value < found[2].value
    assert found[1].value > 3 * found[1].standard_error


def test_takes_single_precision_and_computes_in_double():
    real, synthetic = (normal(50, seed=i).astype(np.float32) for i in (0, 1))
    double = kid.kid(real.astype(np.float64), synthetic.astype(np.float64), seed=0)
    assert kid.kid(real, synthetic, seed=0) == double


def test_its_kernel_is_scikit_learns():
    x = normal(5, seed=0)
    pairs = kid._pair_sums(x, x, np.eye(5), np.eye(5))
    np.testing.assert_allclose(pairs, np.diag(polynomial_kernel(x, degree=3, coef0=1)))


def test_refuses_too_few_rows():
    with pytest.raises(ValueError, match="found 3 and 9 rows"):
        kid.kid(normal(3, seed=0), normal(9, seed=1), seed=0)
