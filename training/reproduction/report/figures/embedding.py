"""Fig. 9: the last layer's features, laid out in two dimensions by t-SNE."""

import numpy as np
from jaxtyping import Bool, Float, Int

from training.html import svg
from training.html.blocks import Picture
from training.phantom.classes import CLASSES

#: The paper's colours of the classes in this figure, and a shape for each.
_LOOKS = ((svg.RED, "o"), (svg.BLUE, "s"), (svg.GREEN, "^"))


def draw(
    place: Float[np.ndarray, "n 2"],
    classes: Int[np.ndarray, " n"],
    original: Bool[np.ndarray, " n"],
    *,
    name: str,
    network: str,
) -> Picture:
    """Draw held-out lesions, large, and their augmentations, small."""
    ax = svg.axes(4.0, 3.9)
    ax.grid(visible=False)
    for label, (colour, marker) in enumerate(_LOOKS):
        for size, alpha, rows in ((9, 0.45, ~original), (26, 0.9, original)):
            mine = rows & (classes == label)
            ax.scatter(
                place[mine, 0],
                place[mine, 1],
                s=size,
                c=colour,
                marker=marker,
                alpha=alpha,
                linewidths=0,
                label=CLASSES[label] if size > 20 else None,
                rasterized=size < 20,  # thousands of points would be a megabyte
            )
    ax.set_xticks([])
    ax.set_yticks([])
    svg.legend(ax, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3)
    return Picture(
        f"{name}.svg",
        svg.svg(ax),
        f"Scatter plot of {int(original.sum())} held-out lesions in the features of {network}, "
        "by t-SNE, in the colours of their classes; a measure of how far the classes lie apart "
        "stands in the table below.",
        f"{network}",
    )
