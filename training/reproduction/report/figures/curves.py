"""Fig. 8: accuracy against samples added, three curves, and the paper's own behind them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from training.html import svg
from training.html.blocks import Picture
from training.reproduction import paper


class Line(NamedTuple):
    """One curve: its name, colour, marker, and the shift in points that keeps intervals apart."""

    name: str
    colour: str
    marker: str
    shift: float


LINES = {
    "classic": Line("classic", svg.RED, "o", 0.0),
    "new": Line("new real cases", svg.GREEN, "^", 3.5),
    "gan": Line("synthetic", svg.BLUE, "s", -3.5),
}
_TICKS = (0, 500, 2000, 5000, 10_000, 15_000)


def draw(curves: Mapping[str, Sequence[Mapping[str, Any]]], *, best: int) -> Picture:
    """Draw the curves; synthetic and new cases come on top of the `best` classic group."""
    ax = svg.axes(4.9, 3.9)
    _draw_paper(ax)
    drawn = [name for name in LINES if name in curves]
    for name in drawn:
        _draw_curve(ax, curves[name], LINES[name], base=0 if name == "classic" else best)
    ax.set_xscale("function", functions=(_root, np.square))
    ax.set_xticks(_TICKS, [f"{tick:,}".replace(",", "\u2009") for tick in _TICKS])
    ax.set_xlim(-60, 18_500)
    ax.set_xlabel("samples added per fold (square-root scale)")
    ax.set_ylabel("total accuracy, %")
    svg.legend(ax, loc="lower right", ncols=2)
    ends = ", ".join(f"{LINES[name].name} {_said(curves[name])}" for name in drawn)
    return Picture(
        "fig-8-curves.svg",
        svg.svg(ax),
        f"Line chart of total accuracy against samples added per fold. Ours: {ends}. The paper's "
        "curves are dashed: classic 57.1 to 78.6 %, synthetic 80.8 to 85.7 %, new cases near "
        f"{_saturated():.1f} %.",
    )


def _draw_curve(ax: Axes, points: Sequence[Mapping[str, Any]], line: Line, *, base: int) -> None:
    size = np.array([base + point["size"] * (3 if line.shift else 1) for point in points])
    value, low, high = 100 * np.array([point["accuracy"] for point in points]).T
    # Moved sideways on the page, not in samples: at one size two curves' intervals would overlap.
    shifted = np.square(_root(size) + line.shift / 4)
    ax.errorbar(
        shifted,
        value,
        [value - low, high - value],
        color=line.colour,
        marker=line.marker,
        markersize=6,
        elinewidth=0.9,
        capsize=2.5,
        label=line.name,
        zorder=3,
    )
    for x, point in zip(shifted, points, strict=True):
        again = 100 * np.array(point["repeats"][1:])
        ax.plot(np.full(len(again), x), again, "_", color=line.colour, alpha=0.6)


def _draw_paper(ax: Axes) -> None:
    base = 5000
    for line, points in (
        (LINES["classic"], paper.FIGURE_8_CLASSIC),
        (LINES["gan"], {base + n: value for n, value in paper.FIGURE_8_SYNTHETIC.items()}),
    ):
        ax.plot(
            list(points),
            list(points.values()),
            color=line.colour,
            linestyle=(0, (4, 2.5)),
            linewidth=1.1,
            marker=line.marker,
            markersize=4,
            markerfacecolor="none",
            label=f"{line.name}, paper",
        )
    ax.plot(
        [base + min(paper.FIGURE_8_SYNTHETIC), base + max(paper.FIGURE_8_SYNTHETIC)],
        [_saturated(), _saturated()],
        color=LINES["new"].colour,
        linestyle=(0, (1, 2)),
        linewidth=1.4,
        label="new cases, paper's text",
    )


def _saturated() -> float:
    """Return the level of the paper's green curve: 2 points above its best classic group."""
    return max(paper.FIGURE_8_CLASSIC.values()) + paper.NEW_CASES_GAIN


def _said(points: Sequence[Mapping[str, Any]]) -> str:
    said = [f"{100 * point['accuracy'][0]:.1f} %" for point in (points[0], points[-1])]
    return f"{said[0]} at {points[0]['size']} to {said[1]} at {points[-1]['size']}"


def _root(samples: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(samples, 0))
