import numpy as np
import pytest
from scipy import stats

from training.evaluation import paired_tests, power


@pytest.mark.parametrize("gain", [0.07, -0.07, 0.0])
def test_mcnemar_power_is_the_share_of_simulated_runs_that_show_it(gain):
    rng = np.random.default_rng(7)
    shown = []
    for _ in range(500):
        kind = rng.choice(3, 182, p=[(0.2 + gain) / 2, (0.2 - gain) / 2, 0.8])
        shown.append(paired_tests.mcnemar(kind != 1, kind != 0).p < 0.05)
    expected = power.mcnemar_power(182, gain=gain, discordant=0.2)
    assert np.mean(shown) == pytest.approx(expected, abs=3 * np.sqrt(0.25 / 500))


@pytest.mark.parametrize(("discordant", "expected"), [(33, 0.56), (37, 0.51), (39, 0.49)])
def test_one_run_of_the_papers_182_lesions_shows_its_gain_every_other_time(discordant, expected):
    found = power.mcnemar_power(182, gain=13 / 182, discordant=discordant / 182)
    assert found == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("gain", [0.02, 0.07])
def test_lesions_needed_are_about_connors(gain):
    """Connor 1987, without the exact test's caution."""
    a, b = stats.norm.ppf((0.975, 0.8))
    connor = (a * np.sqrt(0.2) + b * np.sqrt(0.2 - gain**2)) ** 2 / gain**2
    found = power.lesions_needed(gain, discordant=0.2)
    assert connor < found < 1.12 * connor
    assert power.mcnemar_power(found, gain=gain, discordant=0.2) >= power.POWER
    assert power.mcnemar_power(found - 1, gain=gain, discordant=0.2) < power.POWER


@pytest.mark.parametrize(
    ("gain", "sd", "expected"), [(0.07, 0.043, 6), (0.07, 0.057, 8), (0.02, 0.043, 39)]
)
def test_repeats_needed_show_the_gain_in_four_of_five_simulated_experiments(gain, sd, expected):
    """An sd of 4.3 to 5.7 points gives the planned 6 to 8 repeats for +7."""
    assert power.repeats_needed(gain, sd=sd) == expected
    rng = np.random.default_rng(8)
    shown = stats.ttest_1samp(rng.normal(gain, sd, (4000, expected)), 0, axis=1).pvalue < 0.05
    assert 0.78 < shown.mean() < 0.9


def test_what_is_detectable_needs_just_so_many_repeats():
    gain = power.detectable(20, sd=0.05)
    assert power.repeats_needed(gain * 1.001, sd=0.05) == 20
    assert power.repeats_needed(gain * 0.999, sd=0.05) == 21


def test_a_gain_needs_lesions_that_changed():
    with pytest.raises(ValueError, match=r"found a gain of 0.1 with 0.05 discordant"):
        power.mcnemar_power(182, gain=0.1, discordant=0.05)


def test_no_number_shows_no_gain():
    with pytest.raises(ValueError, match="found no number"):
        power.repeats_needed(0.0, sd=0.05)
