"""The listener and the HTTP service are processes of their own, and neither pays for the other."""

import subprocess
import sys

import pytest

_ALL_BUT_DIMSE = """
import importlib, pkgutil, sys
import service
for module in pkgutil.walk_packages(service.__path__, "service."):
    if not module.name.startswith("service.dimse"):
        importlib.import_module(module.name)
print(" ".join(sorted(sys.modules)))
"""
_DIMSE = "import service.dimse.listener, sys; print(' '.join(sorted(sys.modules)))"


@pytest.mark.parametrize(
    ("script", "never"),
    [(_ALL_BUT_DIMSE, "pynetdicom"), (_DIMSE, "bentoml"), (_DIMSE, "torch")],
    ids=["HTTP", "DICOM, no bento", "DICOM, no torch"],
)
def test_what_is_not_loaded(script, never):
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = done.stdout.split()
    assert "service.runtime" in loaded
    assert never not in loaded
