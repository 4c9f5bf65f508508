import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import RobustScaler

from training.evaluation.image_quality import feature_space


def relu_features(n, *, seed):
    features = np.maximum(np.random.default_rng(seed).normal(0.3, 1, (n, 12)), 0)
    features[:, [2, 7]] = 0  # units that never fire
    return features.astype(np.float32)


def test_directions_leave_dead_units_out_and_give_cosines():
    reference = relu_features(50, seed=0)
    new = relu_features(20, seed=1)
    new[:, 2] = 1e6  # a dead unit that wakes up must not rule the distances
    found = feature_space.fit_directions(reference)(new)
    assert found.shape == (20, 10)
    kept = np.delete(new.astype(np.float64), [2, 7], axis=1)
    cosine = kept @ kept.T / np.outer(*[np.linalg.norm(kept, axis=1)] * 2)
    np.testing.assert_allclose(found @ found.T / found.shape[1], cosine, rtol=1e-12)


@given(scale=st.floats(1e-3, 1e3))
def test_directions_do_not_change_with_brightness(scale):
    fitted = feature_space.fit_directions(relu_features(50, seed=0))
    new = relu_features(5, seed=1).astype(np.float64)
    np.testing.assert_allclose(fitted(new * scale), fitted(new), rtol=1e-9)


def test_a_row_without_any_response_has_no_direction():
    fitted = feature_space.fit_directions(relu_features(50, seed=0))
    assert (fitted(np.zeros((1, 12))) == 0).all()


def test_standardises_as_scikit_learns_robust_scaler_within_limits():
    rng = np.random.default_rng(0)
    reference = rng.normal(0, 1, (200, 5)) * [1e-4, 1, 1e3, 1, 0] + [1, 2, 3, 4, 5.5]
    reference[0, 3] = 1e9  # one wild value moves neither median nor spread
    new = rng.normal(0, 4, (50, 5)) * [1e-4, 1, 1e3, 1, 0] + [1, 2, 3, 4, 5.5]
    found = feature_space.fit_standardised(reference)(new)
    oracle = RobustScaler(unit_variance=True).fit(reference).transform(new)[:, :4]
    np.testing.assert_allclose(found, np.clip(oracle, -5, 5), rtol=1e-6, atol=1e-9)
    assert np.abs(oracle).max() > 5  # the limits were put to the test


def test_normal_features_have_mean_square_one():
    reference = np.random.default_rng(0).normal(7, 3, (5000, 4))
    assert (feature_space.fit_standardised(reference)(reference) ** 2).mean() == pytest.approx(
        1, rel=0.03
    )
    assert (feature_space.fit_directions(reference)(reference) ** 2).mean() == pytest.approx(1)


def test_a_constant_that_cannot_be_written_exactly_is_dead():
    reference = np.random.default_rng(0).normal(size=(30, 2))
    reference[:, 1] = 0.1 + np.spacing(0.1) * np.arange(30)
    assert feature_space.fit_standardised(reference).alive.tolist() == [True, False]


@pytest.mark.parametrize("fit", [feature_space.fit_directions, feature_space.fit_standardised])
def test_refuses_what_is_not_finite_or_never_varies(fit):
    features = relu_features(50, seed=0)
    fitted = fit(features)
    features[3, 5] = np.nan
    with pytest.raises(ValueError, match=r"not finite in features \[5\]"):
        fit(features)
    with pytest.raises(ValueError, match=r"not finite in features \[5\]"):
        fitted(features)
    with pytest.raises(ValueError, match="no feature that varies"):
        fit(np.ones((10, 3)))
