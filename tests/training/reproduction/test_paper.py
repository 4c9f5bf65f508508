"""The paper's tables repeat one another: what is typed wrongly contradicts itself."""

import numpy as np
import pytest

from training.phantom.classes import CLASSES
from training.reproduction import paper


def test_confusions_count_the_lesions():
    for table in (paper.TABLE_2, paper.TABLE_3):
        assert np.sum(table, axis=1).tolist() == [paper.LESIONS[name] for name in CLASSES]


@pytest.mark.parametrize("network", ["CNN-AUG", "CNN-AUG-GAN"])
@pytest.mark.parametrize("figure", ["sensitivity", "specificity"])
def test_classes_weigh_up_to_the_method(network, figure):
    found = np.average(
        [getattr(paper.TABLE_7[network][name], figure) for name in CLASSES],
        weights=[paper.LESIONS[name] for name in CLASSES],
    )
    assert found == pytest.approx(getattr(paper.TABLE_6[network], figure), abs=0.1)


def test_the_curves_pass_through_the_tables():
    assert paper.FIGURE_8_CLASSIC[5000] == paper.TABLE_6["CNN-AUG"].sensitivity
    assert max(paper.FIGURE_8_CLASSIC.values()) == paper.FIGURE_8_CLASSIC[5000]
    assert max(paper.FIGURE_8_SYNTHETIC.values()) == paper.TABLE_6["CNN-AUG-GAN"].sensitivity
    assert paper.TABLE_5["CNN-AUG-GAN (DCGAN)"] == paper.TABLE_6["CNN-AUG-GAN"]


def test_the_experts_parts_add_up():
    for expert in paper.TABLE_4.values():
        parts = [
            round(getattr(expert, origin) * count / 100)
            for origin, count in paper.READER_ROIS.items()
        ]
        assert sum(parts) == expert.classes_right
    assert sum(paper.LESIONS.values()) == paper.READER_ROIS["real"]
