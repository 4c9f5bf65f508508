"""Table 4: the readers' task, by the paper's radiologists and by machines."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.html.blocks import NOTHING, Content, Number, Section, Table, percent, printed
from training.networks.generators import KINDS
from training.reproduction import paper

_NETWORKS = {"classic": "CNN-AUG", "gan": "CNN-AUG-GAN"}


def section(results: Mapping[str, Any], _arrays: Mapping[str, np.ndarray]) -> Section:
    """Return the section."""
    found = results["readers"]
    words = (
        "The paper's two radiologists named the class of 182 real and 120 synthetic lesions, "
        "mixed, and said of each whether it is real. No person took part here: networks name the "
        "classes, each of lesions that it never saw, and a machine that is trained to tell real "
        "from synthetic takes the second task. That machine is given examples of both sides, which "
        "no radiologist was, so the two are not the same test.",
        "A synthetic lesion is judged by the networks of its generator's fold. They trained on the "
        "lesions that the generator learned from, and CNN-AUG-GAN on other images of it, so their "
        "synthetic lesions are less new to them than held-out real ones are.",
    )
    blocks = (_classes(found), _real(found))
    return Section("readers", "The readers' task, by machines", words, blocks)


def _classes(found: Mapping[str, Any]) -> Table:
    rows: list[tuple[Content, ...]] = []
    for name, expert in paper.TABLE_4.items():
        total = _of_all(expert.classes_right)
        rows.append((f"{name}, paper", printed(expert.real), printed(expert.synthetic), total))
    for arm, name in _NETWORKS.items():
        told = found["classes"][arm]
        rows.append((f"{name}, ours", *(percent(told[k]) for k in ("real", "synthetic", "total"))))
    return Table(
        "table-4",
        "Table 4: class named rightly, %.",
        ("reader", "real lesions", "synthetic lesions", "all"),
        tuple(rows),
        note="Ours judge our lesions, the radiologists judged theirs.",
    )


def _real(found: Mapping[str, Any]) -> Table:
    rows: list[tuple[Content, ...]] = [
        (f"{name}, paper", _of_all(expert.origin_right), NOTHING)
        for name, expert in paper.TABLE_4.items()
    ]
    rows += [
        (
            f"a machine on images of {KINDS[kind].title}",
            percent(told["accuracy"]),
            percent(told["balanced_accuracy"]),
        )
        for kind, told in found["real"].items()
    ]
    always = next(iter(found["real"].values()))["always_real"]
    rows.append(("answering always “real”", percent(always), Number("50.0")))
    return Table(
        "table-4-real",
        "Table 4: real or synthetic told rightly, %.",
        ("reader", "accuracy", "balanced accuracy"),
        tuple(rows),
        note="Balanced: the mean of the shares right among real and among synthetic lesions. 50 "
        "is a reader that cannot tell, 100 one that always can.",
    )


def _of_all(right: int) -> Number:
    """Write a count of the paper's, of all the lesions that its readers saw."""
    rois = sum(paper.READER_ROIS.values())
    return Number(f"{100 * right / rois:.1f}", f"({right} of {rois})")
