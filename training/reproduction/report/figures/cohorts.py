"""The primary claim: a dot for every cohort and arm, a line for every cohort, and the means."""

from collections.abc import Mapping, Sequence

import numpy as np

from training.html import svg
from training.html.blocks import Picture

COLOURS = {
    "none": svg.QUIET,
    "classic": svg.RED,
    "gan": svg.BLUE,
    "conditional": svg.PURPLE,
    "upper_bound": svg.INK,
}


def draw(accuracy: Mapping[str, Sequence[float]]) -> Picture:
    """Draw each arm's accuracy on the fresh lesions, one cohort by one."""
    ax = svg.axes(4.9, 3.6)
    arms = [name for name in COLOURS if name in accuracy] + [
        name for name in accuracy if name not in COLOURS
    ]
    values = 100 * np.array([accuracy[name] for name in arms])
    means = {name: 100 * float(np.mean(accuracy[name])) for name in arms}  # as tables round them
    ax.plot(range(len(arms)), values, color=svg.FAINT, linewidth=0.9)
    for place, name in enumerate(arms):
        colour = COLOURS.get(name, svg.AMBER)
        ax.plot(np.full(values.shape[1], place), values[place], "o", color=colour, alpha=0.6)
        mean = means[name]
        ax.hlines(mean, place - 0.24, place + 0.24, color=colour, linewidth=2.6, zorder=4)
        ax.annotate(
            f"{mean:.1f}",
            (place + 0.27, mean),
            color=colour,
            va="center",
            fontsize=10,
            fontweight="bold",
        )
    ax.set_xticks(range(len(arms)), arms)
    ax.set_xlim(-0.45, len(arms) - 0.35)
    ax.set_ylabel("accuracy on fresh lesions, %")
    told = ", ".join(f"{name} {mean:.1f} %" for name, mean in means.items())
    return Picture(
        "cohorts.svg",
        svg.svg(ax),
        f"Dot plot: accuracy of {len(arms)} arms on {values.shape[1]} cohorts, each cohort's arms "
        f"joined by a line. Means: {told}.",
    )
