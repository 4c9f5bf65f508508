"""The locks: what is served is what pyproject.toml asks for, byte for byte, and nothing else."""

import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKS = {"cpu": "requirements/serve.txt", "gpu": "requirements/serve-gpu.txt"}
#: Asked for, and imported by another library: pydicom's decoders, uvicorn's loop and parser,
#: Starlette's reader of forms.
PLUGINS = {
    *("pyjpegls", "pylibjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle", "python-gdcm"),
    *("httptools", "uvloop", "python-multipart"),
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def entries(extra: str) -> list[tuple[Requirement, list[str]]]:
    """Return the requirements of a lock, each with its hashes."""
    text = (ROOT / LOCKS[extra]).read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [
        (
            Requirement(line.split(" --hash=")[0]),
            re.findall(r"--hash=sha256:([0-9a-f]{64})\b", line),
        )
        for line in lines
        if line
    ]


def pins(extra: str, python: str) -> dict[str, str]:
    """Return name -> version of what a lock installs for this Python."""
    environment = default_environment() | {
        "python_version": python,
        "python_full_version": f"{python}.9",
    }
    return {
        canonicalize_name(requirement.name): next(iter(requirement.specifier)).version
        for requirement, _ in entries(extra)
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }


@pytest.mark.parametrize("extra", LOCKS)
def test_each_package_is_pinned_and_hashed(extra: str) -> None:
    found = entries(extra)
    assert len(found) > 50
    for requirement, hashes in found:
        assert requirement.url is None, requirement
        assert [s.operator for s in requirement.specifier] == ["=="], requirement
        assert hashes, requirement


@pytest.mark.parametrize("extra", LOCKS)
def test_a_lock_names_no_index_and_no_address(extra: str) -> None:
    text = (ROOT / LOCKS[extra]).read_text()
    assert not re.findall(r"://|^\s*-(?!-hash=).*", text, re.MULTILINE)


@pytest.mark.parametrize("python", ["3.11", "3.12"])
@pytest.mark.parametrize("extra", LOCKS)
def test_a_lock_holds_what_the_project_asks_for(extra: str, python: str) -> None:
    locked = pins(extra, python)
    asked = PROJECT["dependencies"] + PROJECT["optional-dependencies"][extra]
    for requirement in map(Requirement, asked):
        found = locked.get(canonicalize_name(requirement.name))
        assert found is not None, f"{requirement.name} is in no line: make lock"
        assert requirement.specifier.contains(found), f"{requirement}: found {found}: make lock"


def test_the_project_asks_for_what_serving_imports() -> None:
    modules = {
        match
        for room in ("lesion", "service")
        for path in (ROOT / room).rglob("*.py")
        for match in re.findall(r"^\s*(?:import|from) (\w+)", path.read_text(), re.MULTILINE)
    }
    imported = {
        canonicalize_name(name)
        for module in modules - sys.stdlib_module_names - {"lesion", "service"}
        for name in packages_distributions()[module]
    }
    asked = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["cpu"]
    assert {canonicalize_name(Requirement(text).name) for text in asked} == imported | PLUGINS


@pytest.mark.parametrize("extra", LOCKS)
def test_serving_installs_no_training_package(extra: str) -> None:
    locked = pins(extra, "3.11")
    training = {
        canonicalize_name(Requirement(text).name)
        for text in PROJECT["optional-dependencies"]["train"]
    }
    # Renderers of tables and of templates, which BentoML itself needs.
    assert not (training - {"rich", "jinja2"}) & set(locked)
    assert not {"torchvision", "triton"} & set(locked)


def test_both_locks_hold_the_same_versions_and_one_onnx_runtime() -> None:
    cpu, gpu = pins("cpu", "3.11"), pins("gpu", "3.11")
    assert cpu.pop("onnxruntime") == gpu.pop("onnxruntime-gpu")
    assert {"onnxruntime", "onnxruntime-gpu"}.isdisjoint(cpu.keys() | gpu.keys())
    assert {name: gpu.get(name) for name in cpu} == cpu


def test_the_tests_run_on_what_is_served() -> None:
    python = ".".join(default_environment()["python_version"].split(".")[:2])
    found = {name: version(name) for name in pins("cpu", python)}
    assert found == pins("cpu", python)
