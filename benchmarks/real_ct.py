"""`python -m benchmarks.real_ct`: what a bundle says of real CT, whatever it is.

Two public scans (see `--data`): a liver without a visible lesion, where boxes are drawn at random,
and a patient with one metastasis. Nothing is tuned on them, and two patients prove nothing: this
shows what a network trained on simulated lesions does when the lesion is not simulated, or is none.
"""

import argparse
import os
from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_erosion

from lesion import roi
from lesion.bundle.manifest import Manifest
from lesion.bundle.read import read
from lesion.ct import CTSlice
from lesion.image.dicom import read_ct
from lesion.outline import Outline, from_box, from_mask
from service.classify import prediction_set, reason_to_abstain
from service.engine import Engine, load

_LIVER, _METASTASIS = 5, 2  # labels of the two scans' maps
_BOX_MM = (15, 25, 40)
_BOXES = 3  # of each size in each slice


def main() -> None:
    """Print two tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real_ct", description=__doc__)
    parser.add_argument("--bundle", type=Path, default=Path("models/default"))
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get("HEPATICA_TEST_DATA"),
        required="HEPATICA_TEST_DATA" not in os.environ,
        help="folder of abdomen-ct-dicom, abdomen-ct-labels.nii.gz (TotalSegmentator's test files) "
        "and metastasis-ct (Colorectal-Liver-Metastases, doi:10.7937/QXK2-QG03, resampled); "
        "HEPATICA_TEST_DATA, where that is set",
    )
    args = parser.parse_args()
    bundle = read(args.bundle)
    engine, manifest = load(bundle, "cpu"), bundle.manifest
    print("scan, extent_mm: said of how many (abstained: why) score median, threshold")
    for size_mm in _BOX_MM:
        drawn = [
            _answer(engine, manifest, ct, outline)
            for ct, liver in _normal_liver(args.data)
            for outline in _boxes(ct, liver, size_mm)
        ]
        _tell(f"normal liver, {size_mm}", drawn, manifest)
    for spacing in ("1p53", "2p35"):
        found = [
            _answer(engine, manifest, ct, outline)
            for ct, outline in _metastasis(args.data / "metastasis-ct", spacing)
        ]
        _tell(f"one metastasis at {spacing} mm, every slice", found, manifest)


Answer = tuple[str, str, float]


def _answer(engine: Engine, manifest: Manifest, ct: CTSlice, outline: Outline) -> Answer:
    """Return the label, why it abstains (or "sure"), and the out-of-distribution score."""
    patch_hu = roi.cut(ct.hu, ct.spacing_mm or (1.0, 1.0), outline)
    said = engine.classify(patch_hu[None], saliency=False)
    calibration = manifest.calibration
    probabilities = dict(zip(manifest.class_names, said.probabilities[0].tolist(), strict=True))
    label = max(probabilities, key=probabilities.__getitem__)
    score = float(said.out_of_distribution[0])
    reason = reason_to_abstain(
        label, prediction_set(probabilities, calibration), score, calibration
    )
    return label, reason.code if reason else "sure", score


def _tell(name: str, answers: list[Answer], manifest: Manifest) -> None:
    labels, reasons = Counter(a[0] for a in answers), Counter(a[1] for a in answers)
    score = float(np.median([a[2] for a in answers]))
    print(
        f"{name}: { {str(k): n for k, n in labels.items()} } of {len(answers)} ({dict(reasons)}) "
        f"{score:.1f}, {manifest.calibration.out_of_distribution_threshold:.1f}"
    )


def _normal_liver(data: Path) -> list[tuple[CTSlice, Bool[np.ndarray, "rows cols"]]]:
    """Read each slice and which of its pixels are liver, by the two files' geometry."""
    image = nibabel.load(data / "abdomen-ct-labels.nii.gz")
    labels, to_voxel = np.asarray(image.dataobj), np.linalg.inv(image.affine)
    return [
        (ct, _sampled(labels, to_voxel, ct) == _LIVER)
        for ct in (
            read_ct(path.read_bytes()) for path in sorted((data / "abdomen-ct-dicom").iterdir())
        )
    ]


def _sampled(
    labels: Float[np.ndarray, "x y z"], to_voxel: Float[np.ndarray, "4 4"], ct: CTSlice
) -> Float[np.ndarray, "rows cols"]:
    """Return the label at the centre of every pixel of an axial slice."""
    if ct.plane is None or ct.spacing_mm is None:
        raise ValueError("slice: found no position, expected one")
    rows, cols = np.mgrid[: ct.hu.shape[0], : ct.hu.shape[1]]
    x, y, z = ct.plane.position_mm
    # DICOM counts towards the patient's left and back, NIfTI towards the right and front.
    points = np.stack(
        [
            -(x + cols * ct.spacing_mm[1]),
            -(y + rows * ct.spacing_mm[0]),
            np.full(rows.shape, z),
            np.ones(rows.shape),
        ]
    )
    index = np.rint(np.tensordot(to_voxel, points, 1)[:3]).astype(int)
    inside = ((index >= 0) & (index < np.array(labels.shape)[:, None, None])).all(axis=0)
    return np.where(inside, labels[tuple(index * inside)], 0)


def _boxes(ct: CTSlice, liver: Bool[np.ndarray, "rows cols"], size_mm: float) -> list[Outline]:
    """Draw boxes whose whole square lies in the liver; a slice may have no room."""
    row_mm, col_mm = ct.spacing_mm or (1.0, 1.0)
    reach = int(np.ceil(size_mm * (1 + 2 * roi.MARGIN) / 2 / row_mm * np.sqrt(2)))
    centres = np.argwhere(binary_erosion(liver, iterations=reach))
    rng = np.random.default_rng(0)
    chosen = rng.permutation(centres)[:_BOXES]
    dx, dy = size_mm / col_mm / 2, size_mm / row_mm / 2
    return [from_box(x - dx, y - dy, x + dx, y + dy, shape=ct.hu.shape) for y, x in chosen]


def _metastasis(data: Path, spacing: str) -> list[tuple[CTSlice, Outline]]:
    """Read every slice in which the metastasis measures 10 mm or more (paper 2.1)."""
    image = nibabel.load(data / f"ct_{spacing}mm.nii.gz")
    volume = np.asarray(image.dataobj, dtype=np.float32)
    marked = np.asarray(nibabel.load(data / f"seg_{spacing}mm.nii.gz").dataobj) == _METASTASIS
    mm = float(image.header.get_zooms()[0])
    found = []
    for index in np.flatnonzero(marked.any(axis=(0, 1))):
        mask = marked[:, :, index].T
        if np.ptp(np.argwhere(mask), axis=0).max() * mm >= 10:
            ct = CTSlice(volume[:, :, index].T, (mm, mm))
            found.append((ct, from_mask(mask, shape=mask.shape)[0]))
    return found


if __name__ == "__main__":
    main()
