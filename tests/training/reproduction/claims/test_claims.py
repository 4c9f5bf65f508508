import pytest

from training.reproduction import paper
from training.reproduction.claims.claims import CLAIMS
from training.reproduction.claims.rules import BETTER, IN_ORDER, ON_A_PAR, PAR, RISE

BY_ID = {claim.id: claim for claim in CLAIMS}
COMPARISONS = [comparison for claim in CLAIMS for comparison in claim.comparisons]


def figures(claim_id):
    return {c.key: c.paper for c in BY_ID[claim_id].comparisons}


def test_names_are_unique_and_every_claim_rests_on_something():
    assert len(BY_ID) == len(CLAIMS)
    assert all(claim.comparisons for claim in CLAIMS)


def test_one_name_means_one_thing():
    assert len({c.key for c in COMPARISONS}) == len(set(COMPARISONS))


@pytest.mark.parametrize(
    ("claim_id", "key", "figure"),
    [
        ("classic-improves", "classic - none", 0.215),
        ("classic-saturates", "most classic - classic", -0.006),
        ("synthetic-adds-cohorts", "synthetic - classic, cohorts", 0.071),
        ("new-cases-add", "new cases - classic", 0.02),
        ("synthetic-beats-new-cases", "synthetic - new cases", 0.051),
        ("dcgan-over-acgan", "DCGAN - ACGAN", 0.044),
        ("acgan-adds", "ACGAN - classic", 0.027),
        ("acgan-discriminator-worse", "ACGAN - ACGAN discriminator", 0.022),
        ("metastasis-and-hemangioma-confused", "share of confused errors, CNN-AUG", 36 / 39),
        ("metastasis-and-hemangioma-confused", "share of confused errors, CNN-AUG-GAN", 23 / 26),
    ],
)
def test_the_papers_figures_are_those_of_its_text(claim_id, key, figure):
    assert figures(claim_id)[key] == pytest.approx(figure, abs=1e-4)


def test_the_paper_gains_in_both_figures_of_both_confused_classes():
    assert list(figures("synthetic-helps-the-confused").values()) == pytest.approx(
        [0.125, 0.051, 0.062, 0.068]
    )


def test_the_paper_passes_its_own_rules_by_its_point_figures():
    """A rule that the paper's own tables break would be no reading of its claims."""
    for claim in CLAIMS:
        outputs = [c.paper for c in claim.comparisons if c.paper is not None]
        if claim.rule in (BETTER, IN_ORDER):
            assert all(figure > 0 for figure in outputs), claim.id
        if claim.rule is ON_A_PAR:
            assert all(abs(figure) < PAR for figure in outputs)
    assert all(figure < RISE for figure in figures("classic-saturates").values())


def test_the_order_is_of_all_pairs_and_the_best_is_first():
    assert len(figures("order-of-methods")) == 15
    assert figures("synthetic-best-of-all").keys() == {
        f"CNN-AUG-GAN - {method}" for method in paper.TABLE_6 if method != "CNN-AUG-GAN"
    }
