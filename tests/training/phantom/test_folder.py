import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from lesion.errors import CohortError
from training.data import cohort
from training.phantom import folder as phantom_folder
from training.phantom.classes import CLASS_LIST, LesionClass
from training.phantom.cohort import lesions
from training.phantom.folder import write_cohort
from training.phantom.patient import PhantomPatient

Counts = Mapping[LesionClass, int]


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_read_is_what_was_drawn(folder: Path, patients: tuple[PhantomPatient, ...]) -> None:
    found = cohort.read(folder)
    drawn = [lesion for patient in patients for lesion in lesions(patient)]
    assert found.simulated
    assert found.name == "phantom-1-seed-7"
    assert found.classes == CLASS_LIST
    for one, other in zip(found.lesions, drawn, strict=True):
        np.testing.assert_array_equal(one.ct.hu, other.ct.hu)
        assert one.ct.spacing_mm == other.ct.spacing_mm
        assert one.ct.plane is not None
        np.testing.assert_allclose(one.ct.plane.position_mm, other.ct.plane.position_mm, atol=1e-3)
        np.testing.assert_array_equal(one.outline.hull_px, other.outline.hull_px)
        for field in ("lesion_id", "patient_id", "lesion_class", "diameter_mm", "provenance"):
            assert getattr(one, field) == getattr(other, field)


def test_every_file_passes_dciodvfy(folder: Path) -> None:
    validator = Path(sys.executable).with_name("dciodvfy")
    for path in folder.rglob("*.dcm"):
        found = subprocess.run([validator, path], capture_output=True, text=True, check=False)
        assert found.returncode == 0
        assert set((found.stdout + found.stderr).split()) <= {"CTImage", "Segmentation"}


def test_every_file_says_that_it_is_simulated(folder: Path) -> None:
    for path in folder.rglob("*.dcm"):
        dataset = dcmread(path)
        assert dataset.SyntheticData == "YES"
        assert str(dataset.PatientName).startswith("PHANTOM^P")
        assert "SIMULATED" in dataset.SeriesDescription
        assert "phantom" in dataset.Manufacturer
        if dataset.Modality == "CT":
            assert dataset.ContentQualification == "RESEARCH"
            assert "SIMULATED" in dataset.ImageComments
            assert dataset.KVP == 120


def test_uids_are_unique_and_one_patient_is_one_study(folder: Path) -> None:
    files = [dcmread(path, stop_before_pixels=True) for path in folder.rglob("*.dcm")]
    uids = [file.SOPInstanceUID for file in files]
    assert len(set(uids)) == len(uids)
    assert all(uid.is_valid for uid in uids)
    assert len({(file.PatientID, file.StudyInstanceUID) for file in files}) == len(
        {file.PatientID for file in files}
    )


def test_an_interrupted_cohort_goes_on_to_the_same_bytes(
    folder: Path, seed: int, counts: Counts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cohort(tmp_path, seed, counts, advance=stop)
    with pytest.raises(CohortError, match=r"found no cohort\.csv"):
        cohort.read(tmp_path)

    drawn = []
    draw = phantom_folder.draw_patient
    monkeypatch.setattr(
        phantom_folder, "draw_patient", lambda s, plan: (drawn.append(plan.index), draw(s, plan))[1]
    )
    write_cohort(tmp_path, seed, counts)
    assert 0 not in drawn
    assert contents(tmp_path) == contents(folder)
    drawn.clear()
    write_cohort(tmp_path, seed, counts)
    assert not drawn


def test_a_foreign_folder_is_refused(tmp_path: Path, counts: Counts) -> None:
    (tmp_path / "thesis.docx").write_text("precious")
    with pytest.raises(CohortError, match="expected an empty or new one"):
        write_cohort(tmp_path, 1, counts)
    assert contents(tmp_path) == {"thesis.docx": b"precious"}


def test_another_cohorts_folder_is_refused(folder: Path, seed: int, counts: Counts) -> None:
    with pytest.raises(CohortError, match="found another cohort"):
        write_cohort(folder, seed + 1, counts)
