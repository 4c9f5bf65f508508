"""What libraries warn of is logged without their words, which may quote a file."""

import json
import subprocess
import sys

_WARN = """
import warnings
from service import logs
logs.configure()
warnings.warn("Secret^Patient", stacklevel=1)
warnings.warn_explicit("Secret^Patient", RuntimeWarning, "/somewhere/else.py", 7)
"""

_PYDICOM = """
from lesion.image import part10
from pydicom.charset import convert_encodings
from pydicom.dataelem import DataElement
from pydicom.uid import UID
UID("Secret^Patient")
DataElement("StudyDate", "DA", "Secret^Patient")
DataElement("SOPClassUID", "UI", "Secret^Patient")
convert_encodings("Secret^Patient")
"""


def run(code, *options):
    return subprocess.run(
        [sys.executable, *options, "-c", code], capture_output=True, text=True, check=True
    )


def test_a_warning_is_a_line_of_json_that_says_what_and_where():
    done = run(_WARN)
    assert not done.stderr
    assert "Secret" not in done.stdout
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["warning"] for line in lines] == ["UserWarning", "RuntimeWarning"]
    assert lines[1]["where"] == "else.py:7"
    assert {line["logger"] for line in lines} == {"service.logs"}


def test_pydicom_warns_of_nothing_in_any_process():
    done = run(_PYDICOM, "-W", "always")
    assert (done.stdout, done.stderr) == ("", "")
