"""Steps that a GPU can replay: what they compute, and that they ask nothing of Python."""

import json
from collections import Counter
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from unittest.mock import MagicMock

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from training.data.datasets import Labelled
from training.networks import classifier, cuda_graphs, devices
from training.networks.generators import kind_of
from training.pipeline import checkpoints
from training.pipeline.progress import epoch_bars
from training.settings import CnnSettings, GanSettings

CPU = torch.device("cpu")
CNN = CnnSettings(batch=8, learning_rate=0.02, weight_decay=0.01, schedule="onecycle", updates=20)
DCGAN = GanSettings(width=16, discriminator_width=8, epochs=5, batch=8)
SMALL_DATA = replace(
    DCGAN,
    kind="conditional",
    upsampling="resize",
    noise=True,
    spectral=True,
    hinge=True,
    differentiable_augmentation=True,
    ema=0.9,
)


def data(device=CPU):
    images = torch.rand(20, 64, 64, generator=torch.Generator().manual_seed(0))
    return Labelled(images.to(device), (torch.arange(20) % 3).to(device), 3)


def train_cnn(data, preset, log):
    return classifier.train(data, preset, seed=1, log=log).network


def train_gan(data, preset, log):
    return kind_of(preset).train(data, preset, seed=1, log=log).generator


TRAININGS = [
    pytest.param(train_cnn, CNN, id="CNN"),
    pytest.param(train_gan, DCGAN, id="DCGAN"),
    pytest.param(train_gan, SMALL_DATA, id="small data"),
    pytest.param(train_gan, replace(DCGAN, kind="acgan"), id="ACGAN"),
]


def test_an_epoch_deals_every_image_once_and_anew():
    sampler = cuda_graphs.BatchSampler(10, CPU)
    torch.manual_seed(0)
    epochs = []
    for _ in range(2):
        sampler.shuffle()
        epochs.append(
            torch.cat(
                [sampler.next_batch(4), sampler.next_batch(4), sampler.next_batch(2)]
            ).tolist()
        )
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_nesterov_steps_as_torch_does(weight_decay):
    torch.manual_seed(0)
    rates = torch.rand(12, 2)
    mine, theirs = torch.nn.Linear(5, 3), torch.nn.Linear(5, 3)
    theirs.load_state_dict(mine.state_dict())
    one = cuda_graphs.Nesterov(mine, rates, weight_decay=weight_decay)
    other = torch.optim.SGD(
        theirs.parameters(), lr=1.0, momentum=0.9, nesterov=True, weight_decay=weight_decay
    )
    for rate, momentum in rates.tolist():
        other.param_groups[0].update(lr=rate, momentum=momentum)
        batch = torch.rand(4, 5)
        for network, optimizer in ((mine, one), (theirs, other)):
            network.zero_grad()
            network(batch).square().sum().backward()
            optimizer.step()
    torch.testing.assert_close(mine.state_dict(), theirs.state_dict())


class Operations(TorchDispatchMode):
    """Counts what PyTorch is asked to do."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.counts[function.overloadpacket.__name__] += 1
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize(("train", "preset"), TRAININGS)
def test_a_step_reads_no_value_and_brings_none(train, preset, monkeypatch, tmp_path):
    """What a capture forbids: to wait for a tensor's value, or to copy one from the host."""

    class DoneError(Exception):
        pass

    def run(self, counts):
        self._step(8)
        with Operations() as operations:
            self._step(8)
        # On a CPU, Adam reads a counter for each weight and one_hot the range of its labels; on a
        # GPU neither does.
        allowed = operations.counts["sqrt"] + 2 * operations.counts["aminmax"]
        assert operations.counts["_local_scalar_dense"] == allowed
        assert not operations.counts.keys() & {"lift_fresh", "nonzero", "masked_select", "equal"}
        raise DoneError

    monkeypatch.setattr(cuda_graphs.CapturedStep, "run", run)
    with pytest.raises(DoneError):
        train(data(), preset, checkpoints.CheckpointedLog(tmp_path / "cut", epoch_bars(), 1))


def test_every_step_is_taken_once_whether_launched_or_replayed(monkeypatch):
    """On a stand-in for CUDA that keeps its rule: what is captured is not computed until replay."""
    taken, noted = [], None

    class Graph:
        def replay(self):
            taken.append(("replayed", *self.calls))

    @contextmanager
    def graph(one, stream):
        nonlocal noted
        one.calls = noted = []
        yield
        noted = None

    def step(count):
        if noted is None:
            taken.append(("launched", count))
        else:
            noted.append(count)

    monkeypatch.setattr(cuda_graphs, "_stream", lambda device: MagicMock())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: MagicMock())
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: nullcontext())
    monkeypatch.setattr(torch.cuda, "CUDAGraph", Graph)
    monkeypatch.setattr(torch.cuda, "graph", graph)
    steps = cuda_graphs.CapturedStep(step, torch.device("cuda"))
    for _ in range(4):
        steps.run([64, 64, 7])
    assert [count for _, count in taken] == [64, 64, 7] * 4
    assert [how for how, count in taken if count == 64] == ["launched"] * 3 + ["replayed"] * 5
    assert [how for how, count in taken if count == 7] == ["launched"] * 3 + ["replayed"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU: CUDA graphs")
@pytest.mark.parametrize(("train", "preset"), TRAININGS)
def test_captured_steps_compute_what_eager_ones_do(train, preset, monkeypatch, tmp_path):
    exact = replace(preset, bfloat16=False)
    captured: list[int] = []
    launch = torch.cuda.CUDAGraph.replay
    monkeypatch.setattr(
        torch.cuda.CUDAGraph, "replay", lambda self: (captured.append(1), launch(self))[1]
    )

    def losses(name):
        log = checkpoints.CheckpointedLog(tmp_path / name, epoch_bars(), 5)
        network = train(data(devices.select_device()), exact, log)
        lines = (tmp_path / f"{name}.jsonl").read_text().splitlines()
        return [list(json.loads(line).values()) for line in lines], network.state_dict()

    told, weights = losses("captured")
    assert captured
    captured.clear()
    monkeypatch.setattr(cuda_graphs, "WARM_UP", 1000)
    expected, expected_weights = losses("eager")
    assert not captured
    torch.testing.assert_close(torch.tensor(told), torch.tensor(expected), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(weights, expected_weights, rtol=1e-2, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU: CUDA graphs")
@pytest.mark.parametrize(("train", "preset"), TRAININGS)
def test_an_interrupted_captured_training_ends_with_the_same_weights(
    train, preset, monkeypatch, tmp_path
):
    monkeypatch.setattr(checkpoints, "_SECONDS_BETWEEN_CHECKPOINTS", -1.0)

    class Interrupted(checkpoints.CheckpointedLog):
        def record(self, epoch, losses, parts):
            super().record(epoch, losses, parts)
            if epoch == 3:
                raise KeyboardInterrupt

    def weights(name, log):
        told = log(tmp_path / name, epoch_bars(), 5)
        return train(data(devices.select_device()), preset, told).state_dict()

    whole = weights("whole", checkpoints.CheckpointedLog)
    with pytest.raises(KeyboardInterrupt):
        weights("cut", Interrupted)
    resumed = weights("cut", checkpoints.CheckpointedLog)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
