"""Measure a phantom, and write docs/phantom.md's figures and pictures.

The page's words are written by hand; its tables stand between two marks and are replaced.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from lesion.errors import CohortError
from lesion.roi import cut
from scripts.phantom_page import figures, pictures
from training.data import cohort
from training.data.card import CARD
from training.data.records import CohortLesion
from training.phantom import ood_lesions
from training.phantom.classes import LesionClass
from training.phantom.cohort import GENERATOR, draw_cohort, lesions
from training.phantom.ood_lesions import OodLesion
from training.phantom.patient import PhantomPatient

#: How many near neighbours of a kind are measured; no more than the cohort has patients.
_NEIGHBOURS, _NEIGHBOURS_SEED = 60, 1

PAGE, FIGURES = "phantom.md", "phantom.json"
_START, _END = "<!-- figures: written by the command -->", "<!-- end of figures -->"


def main() -> None:
    """Read the command line and write the page."""
    parser = argparse.ArgumentParser(prog="python -m scripts.phantom_page", description=__doc__)
    parser.add_argument("--cohort", type=Path, required=True, help="a phantom cohort's folder")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="the folder of the page")
    parser.add_argument(
        "--real", type=Path, help="folder of the real series; without it their figures are kept"
    )
    args = parser.parse_args()
    write(args.cohort, args.out, real=args.real)


def write(cohort: Path, out: Path, *, real: Path | None = None) -> None:
    """Measure a phantom's folder, draw the pictures, and replace the tables of the page in `out`.

    Without the folder of the `real` series their figures are taken over from the page's file.
    """
    patients, name = _draw_again(cohort)
    path = out / FIGURES
    measured = figures.of_real(real) if real else json.loads(path.read_text())["real"]
    near = {
        str(kind): [
            _patch(ood_lesions.draw(_NEIGHBOURS_SEED, kind, index))
            for index in range(min(_NEIGHBOURS, len(patients)))
        ]
        for kind in ood_lesions.KINDS
    }
    found = {
        "statement": "SIMULATED lesions beside figures measured on real CT. Research only.",
        "cohort": name,
        "phantom": figures.of_phantom(patients),
        "rings": figures.of_rings(_patches(patients) | near),
        "real": measured,
    }
    path.write_text(json.dumps(found, indent=1) + "\n")
    images = out / "images"
    images.mkdir(exist_ok=True)
    pictures.save_rois(patients, images / "phantom-rois.png", caption=name)
    pictures.save_slices(patients, images / "phantom-slices.png", caption=name)
    pictures.save_neighbours(near, images / "phantom-neighbours.png")
    pictures.save_noise(found, images / "phantom-noise.png")
    page = out / PAGE
    before, _, rest = page.read_text(encoding="utf-8").partition(_START)
    after = rest.partition(_END)[2]
    page.write_text(f"{before}{tables(found)}{after}", encoding="utf-8")


def _draw_again(folder: Path) -> tuple[Sequence[PhantomPatient], str]:
    """Draw the folder's cohort in memory: the files hold neither the liver's mask nor the scan.

    Raise `CohortError` if it is no phantom of this generator, or if the files hold anything else.
    """
    card = json.loads((folder / CARD).read_text())
    if card.get("generator") != f"training.phantom {GENERATOR}":
        raise CohortError(f"{CARD}: found no phantom of generator {GENERATOR}, expected one")
    counts = {kind: card["lesions"][kind] for kind in LesionClass}
    patients = list(draw_cohort(card["seed"], counts))
    drawn = [one.lesion for p in patients for image in p.slices for one in image.lesions]
    for one, other in zip(cohort.read(folder).lesions, drawn, strict=True):
        if one.lesion_id != other.lesion_id or (one.ct.hu != other.ct.hu).any():
            raise CohortError(f"found a slice of {one.lesion_id} that is not what its seed draws")
    return patients, card["name"]


def _patches(patients: Sequence[PhantomPatient]) -> dict[str, list[Float[np.ndarray, "64 64"]]]:
    """Cut the cohort's lesions, by class."""
    found = [lesion for patient in patients for lesion in lesions(patient)]
    return {
        str(kind): [_patch(lesion) for lesion in found if lesion.lesion_class is kind]
        for kind in LesionClass
    }


def _patch(one: CohortLesion | OodLesion) -> Float[np.ndarray, "64 64"]:
    return cut(one.ct.hu, one.ct.spacing_mm or (1.0, 1.0), one.outline)


def tables(found: dict[str, Any]) -> str:
    """Return the page's tables, with the marks around them."""
    phantom, real = found["phantom"], found["real"]
    parts = [_START, _cohort_table(found["cohort"], phantom), _noise_table(phantom, real)]
    parts += [_liver_table(phantom, real), _class_table(phantom), _metastasis_table(phantom, real)]
    parts.append(_ring_table(found["rings"]))
    return "\n\n".join([*parts, _END])


def _cohort_table(name: str, phantom: dict[str, Any]) -> str:
    counts = phantom["lesions"]
    total = sum(counts.values())
    rows = [
        ("lesions", f"{total}: " + ", ".join(f"{counts[kind]} {kind}" for kind in LesionClass)),
        ("patients, slices", f"{phantom['patients']}, {phantom['slices']}"),
        (
            "patients with 1, 2, 3 lesions",
            ", ".join(map(str, phantom["lesions_a_patient"].values())),
        ),
        ("established by biopsy", f"{phantom['biopsied']} of {total}, the others by follow-up"),
        ("scanners", ", ".join(f"{n} {make}" for make, n in phantom["makes"].items())),
        (
            "slice thickness",
            ", ".join(f"{n} x {mm} mm" for mm, n in phantom["thickness_mm"].items()),
        ),
        ("mAs", _range(phantom["mas"])),
        ("pixels", f"{phantom['pixel_mm']['low']:.2f} to {phantom['pixel_mm']['high']:.2f} mm"),
        ("in-plane blur, FWHM", f"{_range(phantom['blur_mm'])} mm"),
    ]
    return f"### The cohort `{name}`\n\n" + _table(("", "5 % to 95 % where a range"), rows)


def _noise_table(phantom: dict[str, Any], real: dict[str, Any]) -> str:
    rows = []
    for erosion, measured in real["measured"]["noise"].items():
        simulated = phantom["noise"][erosion]
        rows.append((f"real, 0.977 mm, 3 mm slices; {erosion} px", *_noise_cells(measured)))
        rows += [
            (f"SIMULATED {name}; {erosion} px", *_noise_cells(simulated[name]))
            for name in ("p10", "p50", "p90")
        ]
    quoted = real["quoted"]
    for name, key in (
        ("0.977 mm, as quoted", "totalseg_dicom"),
        ("0.743 mm, 1.6 mm slices", "ircad17"),
    ):
        sd, lags = quoted[key]["noise_sd"], quoted[key]["autocorr"]
        rows.append((f"real, {name}", f"{sd:.1f}", _lags(lags), "-"))
    header = ("liver, eroded by", "sd, HU", "lags 1-4 along the row", "lags 1-4 down the column")
    return "### Noise and texture\n\n" + _table(header, rows)


def _noise_cells(measured: dict[str, Any]) -> tuple[str, str, str]:
    return f"{measured['sd_hu']:.1f}", _lags(measured["lags"]), _lags(measured["lags_upright"])


def _liver_table(phantom: dict[str, Any], real: dict[str, Any]) -> str:
    rows = [
        ("SIMULATED, a slice's mean", _range(phantom["liver_hu"]), "-"),
        ("SIMULATED, a slice's sd", "-", _range(phantom["liver_sd_hu"])),
    ]
    for name, liver in (
        ("real, 0.977 mm", real["measured"]["liver_hu"]),
        ("real, 0.743 mm", real["quoted"]["ircad17"]["liver_hu"]),
    ):
        rows.append((name, f"{liver['mean']:.0f}", f"{liver['sd']:.0f}"))
    return "### Liver, vessels included\n\n" + _table(("", "mean, HU", "sd, HU"), rows)


def _class_table(phantom: dict[str, Any]) -> str:
    rows = [
        (
            f"SIMULATED {kind}",
            _range(found["diameter_mm"]),
            _range(found["below_liver_hu"]),
            _range(found["inner_sd_hu"]),
            f"{found['with_conspicuous_bright_parts']:.0%}",
        )
        for kind, found in phantom["classes"].items()
    ]
    header = (
        "", "diameter, mm", "mean below the liver around, HU", "sd within, 1 mm blur, HU",
        "parts 10 HU above liver",
    )  # fmt: skip
    return "### The classes: median (5 % to 95 %)\n\n" + _table(header, rows)


def _metastasis_table(phantom: dict[str, Any], real: dict[str, Any]) -> str:
    below = real["quoted"]["below_liver_hu"]
    simulated = phantom["classes"]["metastasis"]["below_liver_hu"]
    rows = [
        ("SIMULATED", _range(simulated)),
        ("real, colorectal metastasis of 48 cc", f"{below['crlm1100']:.0f}"),
        ("real, tumour of the 0.743 mm series; its core",
         f"{below['ircad17_tumour2']:.0f}; {below['ircad17_tumour2_core']:.0f}"),
        ("real, twelve slices through tumours of any kind", _range(below["msd_tumour_slices"])),
    ]  # fmt: skip
    return "### Metastases: mean below their liver, HU\n\n" + _table(("", "HU"), rows)


def _ring_table(rings: dict[str, Any]) -> str:
    rows = [
        (
            f"SIMULATED {kind}",
            str(one["rim_hu"]["n"]),
            _range(one["centre_hu"]),
            _range(one["rim_hu"]),
        )
        for kind, one in rings.items()
    ]
    header = ("", "lesions", "centre above its surroundings, HU", "rim above its surroundings, HU")
    return "### The classes and their near neighbours, in their patches\n\n" + _table(header, rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _range(found: dict[str, float]) -> str:
    digits = 1 if abs(found["p50"]) < 10 else 0
    low, middle, high = (f"{found[key]:.{digits}f}" for key in ("p5", "p50", "p95"))
    return f"{middle} ({low} to {high})"


def _lags(lags: Sequence[float]) -> str:
    return " / ".join(f"{lag:.2f}" for lag in lags)


if __name__ == "__main__":
    main()
