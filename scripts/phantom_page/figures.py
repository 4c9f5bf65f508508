"""The numbers of the phantom's report: the same measurements on simulated and on real slices."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import binary_dilation, distance_transform_edt, gaussian_filter

from lesion.image.dicom import read_ct
from scripts.phantom_page.measure import Marked, noise, rings, spread
from training.phantom.classes import LesionClass
from training.phantom.cohort import lesions
from training.phantom.patient import PhantomLesion, PhantomPatient, PhantomSlice

#: Erosion of the liver's mask: with 3 px the figures of ct-calibration.json come out, what was
#: measured on real CT before the phantom was drawn; the liver's edges and vessels still speak in
#: them. With 8 px mostly noise is left.
EROSIONS_PX = (3, 8)

#: What stands out of the liver to a reader, in HU, after the eye's own smoothing (1 mm).
_CONSPICUOUS_HU = 10.0


def of_phantom(patients: Sequence[PhantomPatient]) -> dict[str, Any]:
    """Measure a phantom cohort."""
    marked = [lesion for patient in patients for lesion in lesions(patient)]
    scans = [patient.scan for patient in patients]
    return {
        "patients": len(patients),
        "slices": sum(len(patient.slices) for patient in patients),
        "lesions": _counts(str(lesion.lesion_class) for lesion in marked),
        "lesions_a_patient": _counts(str(len(lesions(patient))) for patient in patients),
        "biopsied": sum(lesion.provenance == "biopsy" for lesion in marked),
        "makes": _counts(scan.make.name for scan in scans),
        "thickness_mm": _counts(f"{scan.thickness_mm:g}" for scan in scans),
        "mas": spread([scan.mas for scan in scans]),
        "pixel_mm": {"low": min(s.pixel_mm for s in scans), "high": max(s.pixel_mm for s in scans)},
        "blur_mm": spread([scan.blur_fwhm_mm for scan in scans]),
        "liver_hu": spread([float(image.ct.hu[mask].mean()) for image, mask in _livers(patients)]),
        "liver_sd_hu": spread(
            [float(image.ct.hu[mask].std()) for image, mask in _livers(patients)]
        ),
        "noise": {str(px): _noise(patients, px) for px in EROSIONS_PX},
        "classes": {str(kind): _class(patients, kind) for kind in LesionClass},
    }


def of_rings(
    patches: Mapping[str, Sequence[Float[np.ndarray, "64 64"]]],
) -> dict[str, dict[str, dict[str, float]]]:
    """Measure centre and rim of several kinds of lesions in their patches."""
    found = {}
    for kind, cut in patches.items():
        centre, rim = np.array([rings(patch) for patch in cut]).T
        found[kind] = {"centre_hu": spread(centre), "rim_hu": spread(rim)}
    return found


def of_real(folder: Path) -> dict[str, Any]:
    """Measure the real series in `folder`, and quote the figures measured on others.

    The series is abdomen-ct-dicom with its labels (TotalSegmentator test files, Apache-2.0); the
    others are in ct-calibration.json.
    """
    series = list(_real_series(folder))
    known = json.loads((folder / "ct-calibration.json").read_text())
    tumours = next(known[key] for key in known if key.startswith("msd_hepaticvessel_tumour"))
    below = [ring - mean for _, _, mean, _, ring in tumours]
    pixels = np.concatenate([hu[mask] for hu, mask in series])
    return {
        "measured": {
            "slices": len(series),
            "liver_hu": spread(pixels),
            "noise": {str(px): _both_ways(series, px) for px in EROSIONS_PX},
        },
        "quoted": {
            "totalseg_dicom": {k: known["totalseg_dicom"][k] for k in ("noise_sd", "autocorr")},
            "ircad17": {
                "liver_hu": known["ircad17"]["liver_parenchyma"],
                "noise_sd": known["ircad17"]["noise_sd_HU(hp sigma4px)"],
                "autocorr": known["ircad17"]["noise_autocorr_lag1-4px"],
            },
            "below_liver_hu": {
                "crlm1100": _below(known["crlm1100_1p53mm"], "liver", "metastasis"),
                "ircad17_tumour2": _below(known["ircad17"], "liver_parenchyma", "livertumor2"),
                "ircad17_tumour2_core": _below(
                    known["ircad17"], "liver_parenchyma", "livertumor2_core"
                ),
                "msd_tumour_slices": spread(below),
            },
        },
    }


def _counts(names: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _livers(
    patients: Sequence[PhantomPatient],
) -> Iterator[tuple[PhantomSlice, Bool[np.ndarray, "512 512"]]]:
    """Yield each slice and where it is liver and no lesion."""
    for patient in patients:
        for image in patient.slices:
            mask = image.liver.copy()
            for marked in image.lesions:
                mask &= ~binary_dilation(marked.mask, iterations=5)
            yield image, mask


def _noise(patients: Sequence[PhantomPatient], erosion_px: int) -> dict[str, Any]:
    """Measure each patient, and give the range of the middle 80 %."""
    found = []
    for patient in patients:
        slices = [(image.ct.hu, mask) for image, mask in _livers([patient])]
        found.append(_both_ways(slices, erosion_px))
    quantiles = {"p10": 10, "p50": 50, "p90": 90}
    return {
        name: {
            "sd_hu": round(float(np.percentile([f["sd_hu"] for f in found], at)), 1),
            "lags": _rounded(np.percentile([f["lags"] for f in found], at, axis=0)),
            "lags_upright": _rounded(np.percentile([f["lags_upright"] for f in found], at, axis=0)),
        }
        for name, at in quantiles.items()
    }


def _both_ways(slices: Sequence[Marked], erosion_px: int) -> dict[str, Any]:
    upright = noise(slices, erosion_px=erosion_px, upright=True)
    return noise(slices, erosion_px=erosion_px) | {"lags_upright": upright["lags"]}


def _rounded(values: np.ndarray) -> list[float]:
    return [round(float(value), 3) for value in values]


def _class(patients: Sequence[PhantomPatient], kind: LesionClass) -> dict[str, Any]:
    found = [
        (marked, *_look(marked, mask))
        for patient in patients
        for image, mask in _livers([patient])
        for marked in image.lesions
        if marked.lesion.lesion_class is kind
    ]
    below, uneven, brightest = np.array([numbers for _, *numbers in found]).T
    return {
        "diameter_mm": spread([marked.lesion.diameter_mm for marked, *_ in found]),
        "below_liver_hu": spread(below),
        "inner_sd_hu": spread(uneven),
        "brightest_above_liver_hu": spread(brightest),
        "with_conspicuous_bright_parts": round(float((brightest > _CONSPICUOUS_HU).mean()), 3),
    }


def _look(marked: PhantomLesion, liver: Bool[np.ndarray, "512 512"]) -> tuple[float, float, float]:
    """Return how far a lesion's mean lies below the liver around it, its spread, its brightest."""
    ct = marked.lesion.ct
    pixel_mm = (ct.spacing_mm or (1.0, 1.0))[0]
    distance = distance_transform_edt(~marked.mask)
    around = ct.hu[(distance > 4) & (distance < 20) & liver]
    smooth = gaussian_filter(ct.hu, 1.0 / pixel_mm)
    inside = ct.hu[marked.mask]
    reference = float(np.median(around)) if around.size else float(np.median(ct.hu[liver]))
    depth = distance_transform_edt(marked.mask)
    core = smooth[depth > 2] if (depth > 2).any() else smooth[marked.mask]
    return (
        reference - float(inside.mean()),
        float(core.std()),
        float(np.percentile(core, 98)) - reference,
    )


def _below(known: dict[str, Any], liver: str, lesion: str) -> float:
    return round(float(known[liver]["mean"] - known[lesion]["mean"]), 1)


def _real_series(folder: Path) -> Iterator[Marked]:
    """Yield the slices of the labelled series from the feet up, and where each is liver."""
    slices = [
        read_ct(path.read_bytes()) for path in sorted((folder / "abdomen-ct-dicom").iterdir())
    ]
    slices.sort(key=lambda ct: ct.plane.position_mm[2] if ct.plane else 0.0)
    labels = np.asarray(
        nibabel.Nifti1Image.from_filename(folder / "abdomen-ct-labels.nii.gz").dataobj
    )
    # NIfTI counts columns from the right of the patient and rows from behind.
    for ct, label in zip(slices, labels.transpose(2, 1, 0)[:, ::-1], strict=True):
        yield ct.hu, label == 5
