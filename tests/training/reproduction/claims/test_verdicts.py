import pytest

from training.evaluation.metrics import Interval
from training.reproduction.claims.claims import CLAIMS
from training.reproduction.claims.verdicts import in_words, judge


def verdicts(evidence):
    return {judgement.claim.id: judgement.verdict for judgement in judge(evidence)}


def test_what_was_not_run_is_not_tested():
    assert set(verdicts({}).values()) == {"not tested"}


def test_the_papers_own_figures_measured_well_pass_wherever_they_can():
    evidence = {
        c.key: Interval(figure, figure - 0.001, figure + 0.001)
        for claim in CLAIMS
        for c in claim.comparisons
        for figure in [c.paper if c.paper is not None else 0.01]
    }
    failed = {
        name for name, outputs in verdicts(evidence).items() if "consistent" not in outputs[:10]
    }
    assert failed == {"experts-cannot-tell", "cnn-like-an-expert"}


def test_noise_decides_nothing():
    evidence = {c.key: Interval(0.0, -1.0, 1.0) for claim in CLAIMS for c in claim.comparisons}
    assert set(verdicts(evidence).values()) == {"undecided", "not tested"}


def test_a_small_sure_gain_has_the_direction_and_not_the_size():
    found = {
        j.claim.id: j for j in judge({"synthetic - classic, cohorts": Interval(0.01, 0.005, 0.015)})
    }
    assert found["synthetic-adds-cohorts"].verdict == "consistent"
    assert found["synthetic-adds-cohorts"].findings[0].size == "below the paper's"
    assert found["synthetic-adds-seven"].verdict == "not consistent"


def test_a_claim_of_several_is_not_tested_by_half():
    found = verdicts({"next classic - classic": Interval(0.0, -0.01, 0.01)})
    assert found["classic-saturates"] == "not tested"


def test_one_reversed_pair_contradicts_the_order():
    found = verdicts({"BoVW-MI-multi - CNN-AUG": Interval(-0.1, -0.15, -0.05)})
    assert found["order-of-methods"] == "not consistent"


def test_an_end_that_is_zero_but_for_rounding_is_zero():
    found = verdicts(
        {
            "silhouette, CNN-AUG-GAN - CNN-AUG": Interval(0.0, -0.01, 0.01),
            "k-NN accuracy, CNN-AUG-GAN - CNN-AUG": Interval(-0.02, -0.04, -3e-18),
        }
    )
    assert found["synthetic-separates"] == "undecided"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("consistent", "consistent in simulation"),
        ("not consistent", "not consistent in simulation"),
        ("undecided", "undecided"),
        ("not tested", "not tested"),
    ],
)
def test_a_simulated_cohort_decides_in_simulation_alone(verdict, words):
    assert in_words(verdict, simulated=True) == words
    assert in_words(verdict, simulated=False) == verdict


def test_a_misspelt_name_is_refused():
    with pytest.raises(ValueError, match="no claim asks for: DCGAN - ACGANN"):
        judge({"DCGAN - ACGANN": Interval(0.0, -0.1, 0.1)})


@pytest.mark.parametrize("bounds", [(0.2, 0.1), (float("nan"), 0.1)])
def test_what_is_no_interval_is_refused(bounds):
    with pytest.raises(ValueError, match=r"DCGAN - ACGAN: found the interval"):
        judge({"DCGAN - ACGAN": Interval(0.1, *bounds)})
