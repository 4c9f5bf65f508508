"""Abstention: the error among the lesions that are answered, the surest first."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from training.html import svg
from training.html.blocks import Picture

_LOOKS = {"classic": (svg.RED, "-"), "gan": (svg.BLUE, (0, (5, 1.5)))}


def draw(arms: Mapping[str, Mapping[str, Any]]) -> Picture:
    """Draw each arm's risk-coverage curve."""
    ax = svg.axes(4.6, 3.2)
    for name, arm in arms.items():
        colour, dashes = _LOOKS.get(name, (svg.AMBER, "-"))
        coverage, risk = (100 * np.array(arm["risk_coverage"][key]) for key in ("coverage", "risk"))
        ax.plot(coverage, risk, color=colour, linestyle=dashes, label=name)
    ax.set_xlim(0, 100)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("lesions answered, %")
    ax.set_ylabel("of these wrong, %")
    svg.legend(ax, loc="lower right")
    ends = ", ".join(
        f"{n} {100 * arm['risk_coverage']['risk'][-1]:.1f} %" for n, arm in arms.items()
    )
    return Picture(
        "risk-coverage.svg",
        svg.svg(ax),
        "Line chart of the share of wrong answers against the share of lesions that are answered, "
        f"the surest first. With all answered: {ends}.",
    )
