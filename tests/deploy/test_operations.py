"""The operator's page says of the settings and the metrics what the code says."""

import re
from pathlib import Path

from service.metrics import Metrics
from service.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()


def test_each_setting_stands_in_the_table_with_its_default() -> None:
    expected = [
        (f"HEPATICA_{name.upper()}", str(field.default))
        for name, field in Settings.model_fields.items()
    ]
    assert re.findall(r"^\| `(HEPATICA_\w+)` \| `(.*?)` \| ", PAGE, re.MULTILINE) == expected


def test_each_metric_that_is_named_exists() -> None:
    known = {
        line.split()[2].removesuffix("_total")
        for line in Metrics().text().decode().splitlines()
        if line.startswith("# TYPE ")
    }
    named = {name.removesuffix("_total") for name in re.findall(r"`(hepatica_\w+)", PAGE)}
    assert named
    assert named <= known


def test_each_route_that_is_probed_is_named() -> None:
    manifest = (ROOT / "k8s/base/deployment.yaml").read_text()
    for path in re.findall(r"path: (/\w+)", manifest):
        assert f"`{path}`" in PAGE
