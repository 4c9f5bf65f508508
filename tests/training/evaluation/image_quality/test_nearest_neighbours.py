import numpy as np
import pytest
from scipy.spatial.distance import cdist

from training.evaluation.image_quality import nearest_neighbours


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_is_the_sorted_distance_matrix(dtype):
    rng = np.random.default_rng(0)
    queries, references = (rng.normal(80, 20, (n, 300)).astype(dtype) for n in (7, 11))
    found = nearest_neighbours.distances(queries, references, nearest=3)
    np.testing.assert_allclose(found, np.sort(cdist(queries, references))[:, :3], rtol=1e-5)


def test_finds_an_image_that_was_turned_over():
    rng = np.random.default_rng(0)
    training = rng.normal(80, 20, (5, 64, 64)).astype(np.float32)
    turned = np.stack([training[3].T, np.rot90(training[1], 3), training[2, ::-1]])
    references = nearest_neighbours.symmetries(training)
    assert (references[:5] == training).all()
    assert len(np.unique(references.reshape(40, -1), axis=0)) == 40
    flat = [images.reshape(len(images), -1) for images in (turned, references, training)]
    assert (
        nearest_neighbours.distances(flat[0], flat[1]).max() < 0.01
    )  # HU; two images differ by some 1800
    assert nearest_neighbours.distances(flat[0], flat[2]).min() > 1000
