import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.metrics import silhouette_samples
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from training.evaluation.image_quality import separation


def draw(*, each, copies=1, apart=2.0, copy_noise=0.1, seed=0):
    """Three classes of patients of one lesion, each with copies that lie beside it."""
    rng = np.random.default_rng(seed)
    classes = np.repeat(np.arange(3), each)
    lesions = apart * np.eye(3)[classes] + rng.normal(size=(3 * each, 3))
    features = np.repeat(lesions, copies, axis=0)
    features += rng.normal(0, copy_noise, features.shape)
    return features, np.repeat(classes, copies), np.repeat(np.arange(3 * each), copies)


def test_silhouettes_of_single_images_are_scikit_learns():
    features, classes, patients = draw(each=12)
    found = separation.silhouettes(features, classes, patients)
    np.testing.assert_allclose(found, silhouette_samples(features, classes))


def test_silhouettes_ignore_images_of_the_same_patient():
    features, classes, patients = draw(each=6, copies=4)
    found = separation.silhouettes(features, classes, patients)
    for i in range(len(features)):
        mean = [
            np.mean(
                [
                    np.linalg.norm(features[i] - features[j])
                    for j in range(len(features))
                    if classes[j] == k and patients[j] != patients[i]
                ]
            )
            for k in range(3)
        ]
        a, b = mean[classes[i]], min(np.delete(mean, classes[i]))
        assert found[i] == pytest.approx((b - a) / max(a, b))


def test_copies_do_not_separate_what_is_not_apart():
    features, classes, patients = draw(each=40, copies=6, apart=0.0, copy_noise=0.01)
    assert abs(separation.silhouettes(features, classes, patients).mean()) < 0.05
    right = separation.nearest_classes(features, classes, patients) == classes
    assert right.mean() < 0.5
    # Taken as patients of their own, they would make pure noise look wholly separated.
    fooled = separation.nearest_classes(features, classes, np.arange(len(classes))) == classes
    assert fooled.all()


@pytest.mark.parametrize("nearest", [1, 5])
def test_votes_as_scikit_learn_where_votes_differ(nearest):
    features, classes, patients = draw(each=15, copies=3, copy_noise=0.5)
    found = separation.nearest_classes(features, classes, patients, nearest=nearest)
    model = KNeighborsClassifier(nearest)
    shares = cross_val_predict(
        model, features, classes, groups=patients, cv=LeaveOneGroupOut(), method="predict_proba"
    )
    clear = (shares == shares.max(axis=1, keepdims=True)).sum(axis=1) == 1
    assert (found[clear] == shares.argmax(axis=1)[clear]).all()
    assert clear.mean() > 0.8
    assert 0.5 < (found == classes).mean() < 1


def test_the_nearest_decides_between_equal_votes():
    features = np.array([[0.0], [1], [2], [3], [4], [50]])
    classes = np.array([0, 2, 1, 1, 2, 0])
    found = separation.nearest_classes(features, classes, np.arange(6), nearest=4)
    assert found[0] == 2


def test_embeds_neighbours_beside_each_other_and_the_same_way_again():
    features, _, _ = draw(each=25, apart=8.0)
    place = separation.embed(features, seed=2**62 + 5)
    assert place.shape == (75, 2)
    assert trustworthiness(features, place) > 0.9
    assert (separation.embed(features, seed=2**62 + 5) == place).all()


def test_refuses_what_cannot_be_apart():
    features, classes, patients = draw(each=4, copies=2)
    with pytest.raises(ValueError, match=r"classes of \[4\] patients"):
        separation.silhouettes(features[:8], classes[:8], patients[:8])
    with pytest.raises(ValueError, match=r"classes of \[4, 4, 1\] patients"):
        separation.silhouettes(features[:18], classes[:18], patients[:18])
    with pytest.raises(ValueError, match="fewer than 23 images of other patients"):
        separation.nearest_classes(features, classes, patients, nearest=23)
    with pytest.raises(ValueError, match="found 3 images"):
        separation.embed(features[:3], seed=0)
