"""Data groups: Fig. 8, the tables at its best groups (2, 3, 7), and the two ways to select them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from training.html.blocks import (
    NOTHING,
    Block,
    Content,
    Figure,
    Section,
    Table,
    count,
    percent,
    points,
    printed,
)
from training.phantom.classes import CLASSES
from training.reproduction import paper
from training.reproduction.report.figures import curves as figure

ArmFigures = Mapping[str, Any]


def section(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section."""
    curves, chosen = results["curves"], results["chosen"]
    best, most = chosen["classic"], chosen["synthetic"]
    titles = results["run"]["generators"]
    drawn = {**curves, "gan": curves[next(iter(titles))]}
    classic, synthetic = point_of(curves["classic"], best), point_of(drawn["gan"], most)
    words = (
        "Each point is one 3-fold cross-validation: every lesion is judged once, by a network "
        "that saw no lesion of its patient. Whiskers are 95 % Wilson intervals; they count "
        f"lesions as independent, which lesions of one patient are not. {_length(results)}",
        f"Best classic group on these folds: {best} samples per fold (the paper's: 5000). On top "
        f"of it, best synthetic group: {most} × 3 per fold (the paper's: 1000 × 3).",
    )
    shown = Figure(
        "fig-8",
        "Fig. 8: total accuracy against samples added per fold. The paper's points, read off its "
        "figure to about 0.3, are dashed.",
        (figure.draw(drawn, best=best),),
    )
    blocks: list[Block] = [
        shown,
        _classic(curves["classic"], best),
        _added(curves, titles, best),
        *_confusions(classic, synthetic),
        _classes(classic, synthetic),
    ]
    if results.get("nested"):
        blocks.append(_selection(classic, synthetic, chosen, results["nested"]))
    return Section("curves", "Data groups: classic, synthetic, new", words, tuple(blocks))


def _length(results: Mapping[str, Any]) -> str:
    cnn = results["run"]["resolved"]["cnn"]
    if cnn["updates"] is None:
        return f"Every network is trained for {cnn['epochs']} epochs, the paper's for 150."
    return (
        f"Every network is trained for {cnn['updates']} updates, whatever its group; the paper's "
        "for 150 epochs, so larger groups for longer."
    )


def point_of(curve: Sequence[ArmFigures], size: int) -> ArmFigures:
    """Return a curve's point."""
    return next(point for point in curve if point["size"] == size)


def _classic(curve: Sequence[ArmFigures], best: int) -> Table:
    rows = tuple(
        (
            count(point["size"]),
            percent(point["accuracy"]),
            printed(paper.FIGURE_8_CLASSIC.get(point["size"])),
        )
        for point in curve
    )
    return Table(
        "fig-8-classic",
        "Fig. 8 in numbers, red: classic augmentation alone. Total accuracy, %.",
        ("added per fold", "ours", "paper"),
        rows,
        marks=tuple("yes" if point["size"] == best else None for point in curve),
        note="Marked: the smallest group that reaches the highest accuracy, as the paper chose.",
    )


def _added(
    curves: Mapping[str, Sequence[ArmFigures]], titles: Mapping[str, str], best: int
) -> Table:
    names = {kind: f"synthetic, {title}" for kind, title in titles.items()}
    names["new"] = "new real cases"
    sizes = [point["size"] for point in curves["new"]]
    rows: tuple[tuple[Content, ...], ...] = tuple(
        (
            f"{size} × 3",
            *(percent(point_of(curves[kind], size)["accuracy"]) for kind in names),
            printed(paper.FIGURE_8_SYNTHETIC.get(3 * size)),
        )
        for size in sizes
    )
    return Table(
        "fig-8-added",
        f"Fig. 8 in numbers, blue and green: on top of {best} classic samples. Total accuracy, %.",
        ("added per fold", *names.values(), "DCGAN, paper"),
        rows,
        note="The paper adds to 5000 classic samples. Of new cases it says that they add 2 points "
        "until saturation. The small-data GAN is no part of the paper.",
    )


def _confusions(classic: ArmFigures, synthetic: ArmFigures) -> Iterator[Table]:
    for number, name, ours, theirs in (
        (2, "CNN-AUG", classic, paper.TABLE_2),
        (3, "CNN-AUG-GAN", synthetic, paper.TABLE_3),
    ):
        right = sum(theirs[k][k] for k in range(len(CLASSES)))
        yield Table(
            f"table-{number}",
            f"Table {number}: confusion of {name}, lesions. Ours: {_total(ours)} right; the "
            f"paper's: {right} of {sum(map(sum, theirs))}.",
            ("true class", *CLASSES, *CLASSES),
            tuple(
                (name, *map(count, ours["confusion"][k]), *(str(n) for n in theirs[k]))
                for k, name in enumerate(CLASSES)
            ),
            groups=(("", 1), ("ours, called", len(CLASSES)), ("paper, called", len(CLASSES))),
        )


def _total(judged: ArmFigures) -> str:
    counts = judged["confusion"]
    return f"{sum(counts[k][k] for k in range(len(counts)))} of {sum(map(sum, counts))}"


def _classes(classic: ArmFigures, synthetic: ArmFigures) -> Table:
    rows: list[tuple[Content, ...]] = []
    for network, ours in (("CNN-AUG", classic), ("CNN-AUG-GAN", synthetic)):
        printed_rows = paper.TABLE_7[network]
        rows += [
            (
                f"{network}, {name}",
                percent(ours["sensitivity"][name]),
                printed(printed_rows[name].sensitivity),
                percent(ours["specificity"][name]),
                printed(printed_rows[name].specificity),
            )
            for name in CLASSES
        ]
        whole = paper.TABLE_6[network]
        rows.append((f"{network}, weighted", *cells_beside_paper(ours, whole)))
    return Table(
        "table-7",
        "Table 7: sensitivity and specificity of each class, %.",
        ("", "ours", "paper", "ours", "paper"),
        tuple(rows),
        groups=(("", 1), ("sensitivity", 2), ("specificity", 2)),
        note="The weighted sensitivity is the total accuracy under another name.",
    )


def cells_beside_paper(ours: ArmFigures | None, theirs: paper.Row | None) -> tuple[Content, ...]:
    """Return a method's cells: its sensitivity and specificity, each beside the paper's."""
    return (
        percent(ours["accuracy"]) if ours else NOTHING,
        printed(theirs.sensitivity if theirs else None),
        percent(ours["weighted_specificity"]) if ours else NOTHING,
        printed(theirs.specificity if theirs else None),
    )


def _selection(
    classic: ArmFigures, synthetic: ArmFigures, chosen: Mapping[str, int], nested: Mapping[str, Any]
) -> Table:
    def gain(better: ArmFigures, worse: ArmFigures) -> float:
        return float(better["accuracy"][0] - worse["accuracy"][0])

    groups = [f"{c} + {s} × 3" for repeat in nested["chosen"] for c, s in repeat]
    own = paper.TABLE_6
    theirs = own["CNN-AUG-GAN"].sensitivity - own["CNN-AUG"].sensitivity
    return Table(
        "selection",
        "The same arms under two ways to select the groups. Total accuracy, %.",
        (
            "",
            "the paper's selection: on the test folds that are reported",
            "nested selection: on inner folds, the test fold never seen",
            "paper (on its test folds)",
        ),
        (
            (
                "CNN-AUG",
                percent(classic["accuracy"]),
                percent(nested["classic"]["accuracy"]),
                printed(own["CNN-AUG"].sensitivity),
            ),
            (
                "CNN-AUG-GAN",
                percent(synthetic["accuracy"]),
                percent(nested["gan"]["accuracy"]),
                printed(own["CNN-AUG-GAN"].sensitivity),
            ),
            (
                "gain, points",
                points(gain(synthetic, classic)),
                points(gain(nested["gan"], nested["classic"])),
                f"{theirs:+.1f}",
            ),
            (
                "groups per fold",
                f"{chosen['classic']} + {chosen['synthetic']} × 3",
                "; ".join(groups),
                "5000 + 1000 × 3",
            ),
        ),
        note="Intervals of the gains, lesion by lesion, stand in the table of claims.",
    )
