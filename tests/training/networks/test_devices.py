"""What networks are computed in: bfloat16 where the device has it, float32 elsewhere."""

import pytest
import torch

from training.networks import devices

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def forgetful():
    devices.has_bfloat16.cache_clear()
    yield
    devices.has_bfloat16.cache_clear()


@pytest.mark.parametrize(
    ("told", "precision"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 amx_tile\n", "bfloat16"),
        ("flags\t\t: fpu avx512f amx_bf16\n", "bfloat16"),
        ("Features\t: fp asimd bf16\n", "bfloat16"),
        ("flags\t\t: fpu avx2 avx512f avx512bw\n", "float32"),
        ("model name\t: not a bf16_cpu\n", "float32"),
        (None, "float32"),
    ],
)
def test_a_processor_is_asked_for_what_it_has(told, precision, tmp_path, monkeypatch):
    path = tmp_path / "cpuinfo"
    if told is not None:
        path.write_text(told)
    monkeypatch.setattr(devices, "_LINUX_CPUS", path)
    assert devices.precision(CPU) == precision
    with devices.autocast(CPU, enabled=True):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == getattr(torch, precision)


def test_it_is_computed_in_float32_where_that_is_asked_for(monkeypatch):
    monkeypatch.setattr(devices, "has_bfloat16", lambda _: True)
    with devices.autocast(CPU, enabled=False):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


@pytest.mark.parametrize("there", [True, False])
def test_a_gpu_that_only_emulates_it_has_it_not(there, monkeypatch):
    asked = {}

    def supported(**options):
        asked.update(options)
        return there

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert devices.has_bfloat16(torch.device("cuda")) is there
    assert asked == {"including_emulation": False}
