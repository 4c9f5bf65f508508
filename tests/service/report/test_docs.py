"""The commands of docs/pacs/report.md run as they stand, but for the port; its codes are ours."""

import re
import subprocess
from pathlib import Path

from pydicom import dcmread

from lesion.classes import UNDETERMINED
from service.report import capture, image_library, measurements, sr
from training.phantom.classes import CLASSES

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "pacs" / "report.md").read_text()


def test_a_report_is_had_as_the_page_says(server, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    script = "\n".join(re.findall(r"```bash\n(.*?)```", TEXT, flags=re.DOTALL))
    script = script.replace("http://127.0.0.1:3000", server.url)
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, check=True)
    assert dcmread(tmp_path / "report.dcm").Modality == "SR"
    both = (tmp_path / "report.multipart").read_bytes()
    assert both.count(b"Content-Type: application/dicom") == 2


def test_the_codes_and_numbers_are_those_that_are_written():
    for code in (*(name.code for name in CLASSES), UNDETERMINED):
        assert f"{code.value} {code.scheme} {code.meaning}" in TEXT
    concepts = (
        *(measurements.FINDING, measurements.LONG_AXIS, *map(measurements.probability_of, CLASSES)),
        *(
            sr.COMMENT,
            sr.REPORT,
            sr.LIVER,
            image_library.LIBRARY,
            image_library.GROUP,
            image_library.SOURCE,
        ),
    )
    for concept in concepts:
        assert f"{concept.value} {concept.scheme_designator}" in TEXT
    assert f"{sr.MOST_POINTS - 1:,} corners" in TEXT
    assert f"number {sr.SERIES_NUMBER}" in TEXT
    assert f"({capture.SERIES_NUMBER})" in TEXT
