"""The operator's page says of the settings and the metrics what the code says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text()


def test_each_setting_stands_in_the_table_with_its_default() -> None:
    settings = pytest.importorskip("service.settings").Settings
    expected = [
        f"| `HEPATICA_{name.upper()}` | `{field.default}` | {field.description} |"
        for name, field in settings.model_fields.items()
    ]
    assert re.findall(r"^\| `HEPATICA_.*$", PAGE, re.MULTILINE) == expected


def test_each_metric_that_is_named_exists() -> None:
    metrics = pytest.importorskip("service.metrics")
    known = {
        line.split()[2].removesuffix("_total")
        for line in metrics.Metrics().text().decode().splitlines()
        if line.startswith("# TYPE ")
    }
    named = {name.removesuffix("_total") for name in re.findall(r"`(hepatica_\w+)", PAGE)}
    assert named
    assert named <= known


def test_each_route_that_is_probed_is_named() -> None:
    manifest = (ROOT / "k8s/base/deployment.yaml").read_text()
    for path in re.findall(r"path: (/\w+)", manifest):
        assert f"`{path}`" in PAGE
