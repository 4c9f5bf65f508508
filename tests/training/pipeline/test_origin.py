"""What made a result: this machine's processor or GPU, and torch."""

import platform
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from packaging.version import Version

from training.pipeline import origin, scheduler

from ..workshop import SUM

WORKS = {gpu: replace(SUM, gpu=gpu) for gpu in (False, True)}


@pytest.fixture(autouse=True)
def anew():
    origin._processor.cache_clear()
    yield
    origin._processor.cache_clear()


def test_every_cell_says_what_made_it(workshop, store):
    task = workshop.task("one")
    scheduler.compute(task, store)
    seconds, device, version, precision = store.origin(task)
    assert seconds >= 0
    assert precision is None  # it trains no network
    assert device.startswith("cpu: ")
    # A package may leave out the build that torch names, as PyPI's does ("+cu130").
    assert version in (torch.__version__, Version(torch.__version__).public)


@pytest.mark.parametrize(("gpu", "found"), [(True, "GPU 1"), (False, "cpu: ")])
def test_only_what_trains_networks_is_made_on_the_gpu(workshop, store, monkeypatch, gpu, found):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "GPU 1")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: True)
    task = workshop.task("one", kind=WORKS[gpu])
    scheduler.compute(task, store)
    assert store.origin(task).device.startswith(found)


def test_a_machine_without_a_gpu_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert origin.origin_here(1.0, gpu=True).device.startswith("cpu: ")


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("processor\t: 0\nmodel name\t: Xeon: 8\n\nmodel name\t: Other\n", "cpu: Xeon: 8"),
        ("processor\t: 0\nCPU part\t: 0xd0c\n", f"cpu: {platform.machine()}"),
        (None, f"cpu: {platform.machine()}"),
    ],
)
def test_names_the_processor_as_far_as_the_system_tells(monkeypatch, tmp_path: Path, told, found):
    path = tmp_path / "cpuinfo"
    if told is not None:
        path.write_text(told)
    monkeypatch.setattr(origin, "_LINUX_CPUS", path)
    assert origin.origin_here(1.0, gpu=False).device == found
