"""The paper's claims as data: what it says, where, by which rule, and the evidence that it takes.

An experiment hands over its evidence as plain intervals by name (`verdicts.judge`). The comparisons
of `CLAIMS` are the list of those names and of what each must hold. Differences are proportions,
first less second; where nothing else is said they are of total accuracy, over the paper's 3-fold
protocol, each lesion's correctness averaged over repeats and patients drawn
(`paired.bootstrap_difference`).
"""

from dataclasses import dataclass
from itertools import combinations

from training.reproduction import paper
from training.reproduction.claims.rules import (
    BETTER,
    IN_ORDER,
    MOSTLY,
    NEEDS_PEOPLE,
    NO_MORE,
    OF_SIZE,
    ON_A_PAR,
    Rule,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One interval that a claim rests on: its name, what it is, and the paper's figure if any."""

    key: str
    meaning: str
    paper: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """What the paper says, where, and the rule that every one of the comparisons is judged by."""

    id: str
    text: str
    where: str
    rule: Rule
    comparisons: tuple[Comparison, ...]


def _apart(better: float, worse: float) -> float:
    """Turn two of the paper's percentages into a difference of proportions."""
    return round((better - worse) / 100, 4)


def _confused(counts: tuple[tuple[int, ...], ...]) -> float:
    """Return the share of a table's errors that are between metastasis and hemangioma."""
    errors = sum(map(sum, counts)) - sum(counts[k][k] for k in range(len(counts)))
    return round((counts[1][2] + counts[2][1]) / errors, 4)


_GAN, _AUG = paper.TABLE_7["CNN-AUG-GAN"], paper.TABLE_7["CNN-AUG"]
_CLASSIC = paper.TABLE_6["CNN-AUG"].sensitivity
_SYNTHETIC = paper.TABLE_6["CNN-AUG-GAN"].sensitivity
_DCGAN, _ACGAN, _DISCRIMINATOR = (row.sensitivity for row in paper.TABLE_5.values())
_GAIN = _apart(_SYNTHETIC, _CLASSIC)
_RANKED = sorted(paper.TABLE_6, key=lambda method: -paper.TABLE_6[method].sensitivity)
_COHORTS = Comparison(
    "synthetic - classic, cohorts",
    "the cohort as the unit, equal updates, the same fresh lesions; sizes fixed beforehand or "
    "picked on the cohort's own folds (cohorts.crossed_gain)",
    _GAIN,
)


def _pair(better: str, worse: str) -> Comparison:
    of = paper.TABLE_6
    return Comparison(
        f"{better} - {worse}",
        "methods of Table 6; sizes picked on the folds that are reported, as the paper did",
        _apart(of[better].sensitivity, of[worse].sensitivity),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "classic-improves",
        "Classic augmentation improves on none: 57 % to 78.6 %.",
        "4.2.1, 4.2.2, Fig. 8 red",
        BETTER,
        (
            Comparison(
                "classic - none",
                "the best classic group less none; the paper's have 150 epochs each",
                _apart(_CLASSIC, paper.FIGURE_8_CLASSIC[0]),
            ),
        ),
    ),
    Claim(
        "classic-beyond-updates",
        "The control that the paper lacks: so it does when both get as many updates.",
        "4.2.1, implied",
        BETTER,
        (Comparison("classic - none, equal updates", "as above, with equal updates"),),
    ),
    Claim(
        "classic-saturates",
        "Beyond 5000 a fold, more augmented examples fail to improve the results.",
        "4.2.2, 5, Fig. 8 red",
        NO_MORE,
        (
            Comparison(
                "next classic - classic",
                "the next larger group (7500) less 5000, a point fixed beforehand",
                _apart(paper.FIGURE_8_CLASSIC[7500], _CLASSIC),
            ),
            Comparison(
                "most classic - classic",
                "the largest group (15000) less 5000",
                _apart(paper.FIGURE_8_CLASSIC[15000], _CLASSIC),
            ),
        ),
    ),
    Claim(
        "synthetic-adds",
        "Synthetic examples improve on the best classic group: 78.6 % to 85.7 %.",
        "abstract, 4.2.2, 5, Fig. 8 blue",
        BETTER,
        (_pair("CNN-AUG-GAN", "CNN-AUG"),),
    ),
    Claim(
        "synthetic-adds-nested",
        "The same, with a selection that never sees the test fold.",
        "4.2.2, not in the paper",
        BETTER,
        (Comparison("synthetic - classic, nested", "both sizes picked by inner folds", _GAIN),),
    ),
    Claim(
        "synthetic-adds-cohorts",
        "The primary claim: over cohorts, synthetic examples improve on the best classic group.",
        "abstract, 5",
        BETTER,
        (_COHORTS,),
    ),
    Claim(
        "synthetic-adds-seven",
        "The improvement is about 7 points.",
        "abstract, 4.4, 5",
        OF_SIZE,
        (_COHORTS,),
    ),
    Claim(
        "synthetic-helps-the-confused",
        "Sensitivity and specificity rise for metastases and for hemangiomas.",
        "5, Tables 2, 3, 7",
        BETTER,
        tuple(
            Comparison(
                f"{figure} of {name}, CNN-AUG-GAN - CNN-AUG",
                f"{figure} of {name}: of lesions of that class, or of the others",
                _apart(getattr(_GAN[name], figure), getattr(_AUG[name], figure)),
            )
            for name in ("metastasis", "hemangioma")
            for figure in ("sensitivity", "specificity")
        ),
    ),
    Claim(
        "new-cases-add",
        "A few new real cases with their classic augmentations improve the results.",
        "4.2.2, Fig. 8 green",
        BETTER,
        (
            Comparison(
                "new cases - classic",
                "78 new cases at their best size less the same classic group",
                paper.NEW_CASES_GAIN / 100,
            ),
        ),
    ),
    Claim(
        "synthetic-beats-new-cases",
        "Synthetic examples add more than a few new real cases do.",
        "4.2.2, Fig. 8",
        BETTER,
        (
            Comparison(
                "synthetic - new cases",
                "each at its best size, on the same classic group",
                _apart(_SYNTHETIC, _CLASSIC + paper.NEW_CASES_GAIN),
            ),
        ),
    ),
    Claim(
        "synthetic-more-diverse",
        "Synthetic examples are more diverse than a few more real ones.",
        "4.2.2, said without a figure",
        BETTER,
        (
            Comparison(
                "coverage, synthetic - new cases",
                "share of fresh real lesions near the training set of their class, with the one or "
                "the other; the mean of the classes",
            ),
            Comparison(
                "feature variance, synthetic - new cases",
                "total variance of the features that the one or the other adds to a class; the "
                "mean of the classes",
            ),
        ),
    ),
    Claim(
        "dcgan-over-acgan",
        "One DCGAN per class is the better source of examples than an ACGAN.",
        "4.5, 5, Table 5",
        BETTER,
        (Comparison("DCGAN - ACGAN", "the CNN trained on either", _apart(_DCGAN, _ACGAN)),),
    ),
    Claim(
        "acgan-adds",
        "An ACGAN's examples, too, improve on classic augmentation alone.",
        "4.5, Table 5",
        BETTER,
        (Comparison("ACGAN - classic", "the CNN trained on both", _apart(_ACGAN, _CLASSIC)),),
    ),
    Claim(
        "acgan-discriminator-worse",
        "The ACGAN's discriminator as a classifier is worse than the CNN.",
        "4.5, Table 5",
        BETTER,
        (
            Comparison(
                "ACGAN - ACGAN discriminator",
                "the CNN trained on the ACGAN's examples less its discriminator",
                _apart(_ACGAN, _DISCRIMINATOR),
            ),
        ),
    ),
    Claim(
        "cnn-on-a-par-with-bovw",
        "The CNN with classic augmentation performs on a par with BoVW-MI.",
        "5, Table 6",
        ON_A_PAR,
        (
            _pair("CNN-AUG", "BoVW-MI-single"),
            _pair("BoVW-MI-multi", "CNN-AUG"),
        ),
    ),
    Claim(
        "synthetic-best-of-all",
        "CNN-AUG-GAN is better than every other method.",
        "4.5, 5, Table 6",
        BETTER,
        tuple(_pair(_RANKED[0], other) for other in _RANKED[1:]),
    ),
    Claim(
        "order-of-methods",
        "The methods rank as in Table 6.",
        "4.5, Table 6",
        IN_ORDER,
        tuple(_pair(better, worse) for better, worse in combinations(_RANKED, 2)),
    ),
    Claim(
        "cysts-easiest",
        "Cysts are told most surely, with and without synthetic examples.",
        "4.3, Table 7",
        BETTER,
        tuple(
            Comparison(
                f"sensitivity of {network}, cyst - {other}",
                f"{network}'s sensitivity for cysts less that for {other} "
                "(bootstrap.bootstrap_between)",
                _apart(classes["cyst"].sensitivity, classes[other].sensitivity),
            )
            for network, classes in paper.TABLE_7.items()
            for other in ("metastasis", "hemangioma")
        ),
    ),
    Claim(
        "metastasis-and-hemangioma-confused",
        "Errors are mostly metastases taken for hemangiomas, or the reverse.",
        "2.1, 4.3, Tables 2, 3",
        MOSTLY,
        tuple(
            Comparison(
                f"share of confused errors, {network}",
                f"share of {network}'s errors that are between metastasis and hemangioma "
                "(metrics.wilson of one run)",
                _confused(counts),
            )
            for network, counts in (("CNN-AUG-GAN", paper.TABLE_3), ("CNN-AUG", paper.TABLE_2))
        ),
    ),
    Claim(
        "synthetic-separates",
        "With synthetic examples the last layer's features separate the classes better.",
        "4.3, Fig. 9, said without a figure",
        BETTER,
        tuple(
            Comparison(
                f"{figure}, CNN-AUG-GAN - CNN-AUG",
                f"{figure} of held-out real lesions in the features, not in their t-SNE",
            )
            for figure in ("silhouette", "k-NN accuracy")
        ),
    ),
    Claim(
        "cysts-localized",
        "Cysts lie more apart in feature space than the other two classes.",
        "4.3, Fig. 9",
        BETTER,
        tuple(
            Comparison(
                f"silhouette, cyst - {other}",
                f"mean silhouette of held-out cysts less that of {other}, CNN-AUG-GAN",
            )
            for other in ("metastasis", "hemangioma")
        ),
    ),
    Claim(
        "synthetic-meaningful",
        "Synthetic examples have meaningful features.",
        "5, said without a figure",
        BETTER,
        (
            Comparison(
                "synthetic alone - commonest class",
                "accuracy on real lesions of a CNN that saw synthetic ones alone, less the share "
                "of the commonest class",
            ),
        ),
    ),
    Claim(
        "synthetic-classified-as-real",
        "Synthetic lesions are classified as well as real ones (by radiologists: 77.5 against "
        "78 %, 69.2 against 69.2 %); here by the CNN.",
        "4.4, 5, Table 4",
        ON_A_PAR,
        (
            Comparison(
                "synthetic - real, readers' task",
                "accuracy of CNN-AUG, which saw no synthetic lesion, on synthetic less that on "
                "held-out real lesions",
            ),
        ),
    ),
    Claim(
        "experts-cannot-tell",
        "Radiologists tell real from synthetic in about 60 % (62.5 and 58.6 %).",
        "4.4, Table 4",
        NEEDS_PEOPLE,
        (
            Comparison(
                "real or synthetic, machine",
                "balanced accuracy of a classifier that is trained to tell (always answering "
                "'real' would score 60.3 % unbalanced)",
            ),
        ),
    ),
    Claim(
        "cnn-like-an-expert",
        "The baseline CNN performs like a radiologist (77.8 and 69.2 %).",
        "4.4, Table 4",
        NEEDS_PEOPLE,
        (Comparison("CNN-AUG, readers' task", "its accuracy on the readers' 182 + 120 lesions"),),
    ),
)
