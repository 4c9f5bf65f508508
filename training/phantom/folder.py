"""A phantom cohort on disk, in the format that `training.data.cohort` reads.

Files appear whole or not at all. A finished patient leaves its rows of the table in a folder of
their own; when all are there, the table is written and that folder goes. So an interrupted cohort
goes on where it stopped, and one without its table is not finished.
"""

import csv
import io
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from lesion import durable
from lesion.errors import CohortError
from training.data.card import CARD, COLUMNS
from training.data.cohort import TABLE
from training.phantom import dicom
from training.phantom.classes import CLASS_LIST, LesionClass
from training.phantom.cohort import GENERATOR, plan_cohort
from training.phantom.patient import PhantomPatient, Plan, draw_patient

_ROWS = ".rows"


def write_cohort(
    out: Path,
    seed: int,
    counts: Mapping[LesionClass, int],
    *,
    advance: Callable[[], None] = lambda: None,
) -> None:
    """Draw a cohort into `out`, or what is missing of it; `advance` is called for each patient.

    Raise `CohortError` if the folder holds anything but the same cohort.
    """
    plans = plan_cohort(seed, counts)
    _claim(out, _card(seed, counts, patients=len(plans)))
    if (out / TABLE).exists():
        return
    for plan in plans:
        if not _rows_path(out, plan).exists():
            _write_patient(out, seed, draw_patient(seed, plan), plan)
        advance()
    rows = "".join(_rows_path(out, plan).read_text(encoding="utf-8") for plan in plans)
    durable.write(out / TABLE, (_line(COLUMNS) + rows).encode())
    shutil.rmtree(out / _ROWS)


def _claim(out: Path, card: str) -> None:
    """Make the folder this cohort's, or find that it is."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / CARD
    if path.is_file():
        if path.read_text(encoding="utf-8") != card:
            raise CohortError(
                f"{CARD}: found another cohort in the folder, expected none or the same "
                "seed, numbers and generator"
            )
        return
    if any(out.iterdir()):
        raise CohortError("found a folder with other files in it, expected an empty or new one")
    durable.write(path, card.encode())


def _card(seed: int, counts: Mapping[LesionClass, int], *, patients: int) -> str:
    card = {
        "name": f"phantom-{GENERATOR}-seed-{seed}",
        "simulated": True,
        "classes": [one.to_json() for one in CLASS_LIST],
        "statement": dicom.STATEMENT,
        "generator": f"training.phantom {GENERATOR}",
        "seed": seed,
        "patients": patients,
        "lesions": {str(kind): counts.get(kind, 0) for kind in LesionClass},
    }
    return json.dumps(card, indent=1) + "\n"


def _write_patient(out: Path, seed: int, patient: PhantomPatient, plan: Plan) -> None:
    folder = out / patient.patient_id
    folder.mkdir(exist_ok=True)
    rows = ""
    for index, image in enumerate(patient.slices):
        ct = dicom.ct_image(seed, patient, index)
        names = {kind: f"{patient.patient_id}/{kind}-{index + 1}.dcm" for kind in ("ct", "seg")}
        durable.write(out / names["ct"], dicom.part10(ct))
        durable.write(out / names["seg"], dicom.part10(dicom.seg_image(seed, patient, index, ct)))
        for segment, marked in enumerate(image.lesions, start=1):
            lesion = marked.lesion
            rows += _line(
                (
                    lesion.lesion_id,
                    lesion.patient_id,
                    str(lesion.lesion_class),
                    names["ct"],
                    names["seg"],
                    str(segment),
                    f"{lesion.diameter_mm:.1f}",
                    lesion.provenance,
                )
            )
    durable.write(_rows_path(out, plan), rows.encode())


def _rows_path(out: Path, plan: Plan) -> Path:
    return out / _ROWS / f"{plan.patient_id}.csv"


def _line(cells: tuple[str, ...]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
