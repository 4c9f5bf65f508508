"""The domain stands alone: importing it loads no network runtime and no server."""

import subprocess
import sys

import pytest

_IMPORT_ALL = """
import importlib, pkgutil, sys
import lesion
for module in pkgutil.walk_packages(lesion.__path__, "lesion."):
    importlib.import_module(module.name)
print(" ".join({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def loaded():
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", _IMPORT_ALL],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(found.stdout.split())


@pytest.mark.parametrize(
    "package",
    ["torch", "bentoml", "starlette", "onnxruntime", "prometheus_client", "training", "service"],
)
def test_importing_every_module_of_the_domain_does_not_load(loaded, package):
    assert "lesion" in loaded
    assert package not in loaded
