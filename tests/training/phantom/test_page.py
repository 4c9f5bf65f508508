import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesion.errors import CohortError
from scripts.phantom_page import __main__ as page_script
from scripts.phantom_page import figures
from training.phantom.classes import CLASSES
from training.phantom.ood_lesions import KINDS

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_holds_the_figures_of_its_file() -> None:
    found = json.loads((DOCS / page_script.FIGURES).read_text())
    assert page_script.tables(found) in (DOCS / page_script.PAGE).read_text(encoding="utf-8")


def test_the_pages_pictures_are_small() -> None:
    page = (DOCS / page_script.PAGE).read_text(encoding="utf-8")
    pictures = sorted((DOCS / "images").glob("phantom-*.png"))
    assert len(pictures) == 4
    for picture in pictures:
        assert f"images/{picture.name}" in page
        assert picture.stat().st_size < 300_000


def test_the_command_measures_a_cohort(folder: Path, tmp_path: Path) -> None:
    for name in (page_script.PAGE, page_script.FIGURES):
        shutil.copy(DOCS / name, tmp_path)
    page_script.write(folder, tmp_path)
    found = json.loads((tmp_path / page_script.FIGURES).read_text())
    assert found["cohort"] == "phantom-1-seed-7"
    assert found["phantom"]["lesions"] == {"cyst": 2, "hemangioma": 2, "metastasis": 2}
    assert found["real"] == json.loads((DOCS / page_script.FIGURES).read_text())["real"]
    assert list(found["rings"]) == [*CLASSES, *KINDS]
    page = (tmp_path / page_script.PAGE).read_text(encoding="utf-8")
    assert "phantom-1-seed-7" in page
    assert page.count("## What it is not") == 1
    for name in ("rois", "slices", "noise", "neighbours"):
        with Image.open(tmp_path / "images" / f"phantom-{name}.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 10


def test_files_that_are_not_what_the_seed_draws_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "cohort"
    shutil.copytree(folder, copy)
    image = copy / "P001" / "ct-1.dcm"
    data = bytearray(image.read_bytes())
    data[-1000] ^= 1
    image.write_bytes(data)
    with pytest.raises(CohortError, match="is not what its seed draws"):
        page_script.write(copy, tmp_path)


def test_a_cohort_of_no_phantom_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cohort.json").write_text('{"name": "a site", "simulated": false}')
    with pytest.raises(CohortError, match="found no phantom"):
        page_script.write(tmp_path, tmp_path)


def test_the_real_figures_are_those_of_the_page(shared_data: Callable[[str], Path]) -> None:
    found = json.loads(json.dumps(figures.of_real(shared_data("ct-calibration.json").parent)))
    page = json.loads((DOCS / page_script.FIGURES).read_text())["real"]
    assert found == page
    # By the same estimator, what ct-calibration.json says of this very series comes out.
    np.testing.assert_allclose(
        found["measured"]["noise"]["3"]["lags"],
        found["quoted"]["totalseg_dicom"]["autocorr"],
        atol=0.02,
    )
