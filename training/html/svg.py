"""How every figure looks: colours, frame, and the file that it becomes.

The paper's red, green and blue, in tones that are told apart without them (Okabe and Ito 2008);
every line has its own marker and is named where it ends. A figure is an SVG with transparent
ground: its colours are those for a light page, and a style within it changes them on a dark one.
"""

import re
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, QUIET, FAINT = "#1c1e21", "#5f6670", "#d5d9de"
RED, GREEN, BLUE = "#c8500a", "#00805f", "#0a66b0"
SKY, PURPLE, AMBER = "#2f8fc4", "#a0498a", "#946b00"

#: The same on a dark page.
_DARK = {
    INK: "#e6e8eb", QUIET: "#9ba3ad", FAINT: "#3a4048",
    RED: "#f58a4b", GREEN: "#38c79c", BLUE: "#5fb0f0",
    SKY: "#8fd0f5", PURPLE: "#dd8fc8", AMBER: "#d9ae3c",
}  # fmt: skip
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_SETTINGS = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "svg.hashsalt": "hepatica",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "lines.linewidth": 1.8,
}


def axes(width: float, height: float) -> Axes:
    """Return the axes of a new figure, so many inches large."""
    with mpl.rc_context(_SETTINGS):
        figure = Figure(figsize=(width, height), layout="constrained")
        ax = figure.add_subplot()
    ax.grid(visible=True, axis="y", color=FAINT, linewidth=0.7)
    ax.set_axisbelow(True)
    return ax


def legend(ax: Axes, **where: Any) -> None:
    """Name the lines, without a box around the names."""
    ax.legend(frameon=False, fontsize=9, labelcolor=INK, **where)


def svg(ax: Axes) -> bytes:
    """Return the figure of `ax` as SVG, the same bytes for the same figure."""
    written = StringIO()
    with mpl.rc_context(_SETTINGS):
        ax.figure.get_figure(root=True).savefig(
            written, format="svg", transparent=True, metadata={"Date": None}
        )
    return _finish(written.getvalue()).encode()


def _finish(text: str) -> str:
    """Let it use the reader's own font, and follow a dark page."""
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark} !important}}'
        for light, dark in _DARK.items()
        for what in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub("font-family: [^;]*", f"font-family: {_FONTS}", text)
    text = text[text.index("<svg") :]  # the declaration names a document type on the network
    head, rest = text.split(">", 1)
    return f"{head}>{style}{rest}"
