"""The pictures of the phantom's report. Each says in its pixels that it is simulated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from lesion.roi import cut
from scripts.phantom_page.measure import LAGS
from training.phantom.classes import LesionClass
from training.phantom.cohort import lesions
from training.phantom.patient import PhantomPatient

_ROI_WINDOW = (-100.0, 200.0)
_SLICE_WINDOW = (-150.0, 250.0)
_COLUMNS, _ROWS = 12, 2
_STRIP_PX = 16
#: Grey levels that are kept: fewer than eight bits, so that noise does not fill the repository.
_LEVELS = 48


def save_rois(patients: Sequence[PhantomPatient], path: Path, *, caption: str) -> None:
    """Save two rows of ROIs of each class, cut by the ROI rule."""
    strips = []
    for kind in LesionClass:
        found = [
            one for patient in patients for one in lesions(patient) if one.lesion_class is kind
        ]
        patches = [
            _grey(cut(one.ct.hu, one.ct.spacing_mm or (1.0, 1.0), one.outline), _ROI_WINDOW)
            for one in found[: _COLUMNS * _ROWS]
        ]
        strips.append(_captioned(_tiled(patches, _COLUMNS), f"SIMULATED {kind} - {caption}"))
    _save(np.vstack(strips), path)


def save_neighbours(
    patches: Mapping[str, Sequence[Float[np.ndarray, "64 64"]]], path: Path
) -> None:
    """Save a row of patches of each kind."""
    strips = []
    for kind, cut_out in patches.items():
        shown = [_grey(patch, _SLICE_WINDOW) for patch in cut_out[:_COLUMNS]]
        strips.append(_captioned(_tiled(shown, _COLUMNS), f"SIMULATED {kind}: no training data"))
    _save(np.vstack(strips), path)


def save_slices(patients: Sequence[PhantomPatient], path: Path, *, caption: str) -> None:
    """Save the first slices of four patients, at half size."""
    halves = [
        _grey(patient.slices[0].ct.hu.reshape(256, 2, 256, 2).mean(axis=(1, 3)), _SLICE_WINDOW)
        for patient in patients[:4]
    ]
    marked = [_captioned(half, "SIMULATED") for half in halves]
    _save(_captioned(_tiled(marked, 4), f"SIMULATED - {caption}"), path)


def save_noise(figures: dict[str, Any], path: Path) -> None:
    """Plot the noise's autocorrelation: the phantom's range, and the real series."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, erosion in zip(axes, figures["phantom"]["noise"], strict=True):
        simulated = figures["phantom"]["noise"][erosion]
        axis.fill_between(
            LAGS, simulated["p10"]["lags"], simulated["p90"]["lags"], alpha=0.3,
            label="SIMULATED, middle 80 %",
        )  # fmt: skip
        axis.plot(LAGS, simulated["p50"]["lags"], label="SIMULATED, median")
        real = figures["real"]["measured"]["noise"][erosion]
        axis.plot(LAGS, real["lags"], "k-o", label="real, 0.977 mm, 3 mm slices")
        if erosion == "3":
            quoted = figures["real"]["quoted"]["ircad17"]["autocorr"]
            axis.plot(LAGS, quoted, "k--s", label="real, 0.743 mm, 1.6 mm slices")
        axis.set(xlabel="lag, pixels along the row", title=f"liver eroded by {erosion} px")
        axis.set_xticks(LAGS)
    axes[0].set_ylabel("autocorrelation")
    axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=80, metadata={"Software": None})


def _grey(
    hu: Float[np.ndarray, "rows cols"], window: tuple[float, float]
) -> UInt8[np.ndarray, "rows cols"]:
    low, high = window
    levels = np.rint(np.clip((hu - low) / (high - low), 0, 1) * (_LEVELS - 1))
    return np.asarray(levels * (255 // (_LEVELS - 1)), dtype=np.uint8)


def _tiled(tiles: list[np.ndarray], columns: int) -> UInt8[np.ndarray, "rows cols"]:
    framed = [np.pad(tile, 1, constant_values=255) for tile in tiles]
    blank = np.full_like(framed[0], 255)
    framed += [blank] * (-len(framed) % columns)
    rows = [np.hstack(framed[at : at + columns]) for at in range(0, len(framed), columns)]
    return np.vstack(rows)


def _captioned(picture: np.ndarray, text: str) -> UInt8[np.ndarray, "rows cols"]:
    strip = Image.new("L", (picture.shape[1], _STRIP_PX), 255)
    ImageDraw.Draw(strip).text((4, 2), text, fill=0)
    return np.vstack([np.asarray(strip), picture])


def _save(picture: np.ndarray, path: Path) -> None:
    Image.fromarray(picture).save(path, optimize=True)
