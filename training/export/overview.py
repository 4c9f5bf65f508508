"""The picture of a bundle: lesions it was trained on beside lesions it makes, and one answer."""

from pathlib import Path

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from skimage.util import montage

from lesion.bundle import LATENT_SIZE
from lesion.bundle.read import Bundle
from training.data.patches import Patches
from training.export import onnx
from training.seeds import generator

_COLUMNS = 8
_SHOWN_HU = (-60.0, 200.0)  # an abdominal window, narrowed to the liver


def save(bundle: Bundle, patches: Patches, path: Path) -> None:
    """Draw lesions of the cohort, synthetic ones, and what the classifier says of one per class.

    The lesions are drawn at random, not chosen; the answers are of lesions it was trained on.
    """
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    left, right = np.asarray(figure.subfigures(1, 2, width_ratios=[2.6, 1]))
    kind = "simulated" if bundle.manifest.cohort.simulated else "cohort"
    figure.suptitle(f"{bundle.manifest.name}: {kind} lesions, synthetic lesions. Research only.")
    _grids(left, patches.class_names, {kind: _drawn(patches), "synthetic": _made(bundle)})
    _answers(right, bundle, patches)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _drawn(patches: Patches) -> list[Float[np.ndarray, "m 64 64"]]:
    rng = generator(0, "figure")
    return [
        patches.originals[rng.permutation(np.flatnonzero(patches.classes == k))[: 2 * _COLUMNS]]
        for k in range(len(patches.class_list))
    ]


def _made(bundle: Bundle) -> list[Float[np.ndarray, "m 64 64"]]:
    def z(name: str) -> Float[np.ndarray, "m 100"]:
        drawn = generator(0, "figure", name).uniform(-1, 1, (2 * _COLUMNS, LATENT_SIZE))
        return drawn.astype(np.float32)

    return [
        onnx.run(bundle.generators[name], z(name))["patch_hu"]
        for name in bundle.manifest.class_names
    ]


def _grids(
    figure: SubFigure,
    names: tuple[str, ...],
    columns: dict[str, list[Float[np.ndarray, "m 64 64"]]],
) -> None:
    axes = figure.subplots(len(names), len(columns), squeeze=False)
    for column, (title, rows) in enumerate(columns.items()):
        for row, lesions in enumerate(rows):
            grid = montage(lesions, grid_shape=(2, _COLUMNS), padding_width=2, fill=_SHOWN_HU[1])
            _show(axes[row, column], grid)
            axes[row, column].set_title(f"{title}: {names[row]}", fontsize=9)


def _answers(figure: SubFigure, bundle: Bundle, patches: Patches) -> None:
    names = bundle.manifest.class_names
    axes = figure.subplots(len(names), 2, width_ratios=[1, 1.3])
    patch_hu = np.stack([lesions[0] for lesions in _drawn(patches)])
    said = onnx.run(bundle.classifier, patch_hu)
    for row, patch in enumerate(patch_hu):
        told = int(said["probabilities"][row].argmax())
        _show(axes[row, 0], patch)
        heat = np.maximum(said["saliency"][row, told], 0)
        extent = (-0.5, 63.5, 63.5, -0.5)
        axes[row, 0].imshow(heat, "inferno", alpha=0.4, extent=extent, interpolation="bicubic")
        axes[row, 0].set_title(f"{names[row]}: why {names[told]}", fontsize=9)
        axes[row, 1].barh(names, said["probabilities"][row], color="0.4")
        axes[row, 1].set_xlim(0, 1)
        axes[row, 1].invert_yaxis()
        axes[row, 1].tick_params(labelsize=8)
    axes[-1, 1].set_xlabel("probability", fontsize=8)


def _show(axes: Axes, hu: Float[np.ndarray, "h w"]) -> None:
    axes.imshow(hu, "gray", vmin=_SHOWN_HU[0], vmax=_SHOWN_HU[1])
    axes.set_axis_off()
