"""`python -m benchmarks.grid`: what a preset's grid asks of a device, counted and not run.

Every task of the experiments is named, as `reproduce` names it, with the group sizes that the
paper chose; updates are counted from the tasks' configurations, and the arithmetic of an update by
running one. Divided by a device's best rate that is a floor: no run can be shorter. It leaves out
what starts kernels, draws lesions and judges them.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from math import ceil

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from training.data.datasets import Labelled
from training.data.folds import FOLDS
from training.networks import classifier
from training.networks.generators import KINDS
from training.networks.training_log import NoTrainingLog
from training.phantom.classes import CLASSES
from training.pipeline.tasks import Task, topological_order
from training.presets import GRIDS, GridPreset
from training.reproduction import experiments
from training.reproduction.analyses import cohorts, curves, nested_selection
from training.reproduction.predictions import Labels
from training.reproduction.setup import ExperimentSetup
from training.reproduction.tasks.classifier import CLASSIFIER, ClassifierConfig
from training.reproduction.tasks.cohort import Phantom, phantom
from training.reproduction.tasks.generator import GENERATOR, GeneratorConfig
from training.settings import CnnSettings, GanSettings

#: Dense bfloat16 of an H100 SXM, in TFLOP/s, by its maker's data sheet.
H100_TFLOPS = 989.0

_HEAD = ("network", "trained", "updates", "GFLOP an update", "PFLOP", "minutes at least")


@dataclass(frozen=True, slots=True)
class Network:
    """A kind of network, and how it is trained but for its length."""

    kind: str
    preset: CnnSettings | GanSettings


def main(arguments: list[str] | None = None) -> None:
    """Count, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grid", description=__doc__)
    parser.add_argument("--preset", choices=sorted(GRIDS), default="paper")
    parser.add_argument("--tflops", type=float, default=H100_TFLOPS, help="the device's best rate")
    args = parser.parse_args(arguments)
    trained: Counter[Network] = Counter()
    updates: Counter[Network] = Counter()
    for network, count in _counted(GRIDS[args.preset]):
        trained[network] += 1
        updates[network] += count
    print("| " + " | ".join(_HEAD) + " |\n" + "|---" * len(_HEAD) + "|")
    total = 0.0
    for network, count in sorted(updates.items(), key=lambda item: item[0].kind):
        flop = _flop(network)
        total += flop * count
        tasks = (
            _words(network),
            f"{trained[network]}",
            f"{count:,}",
            f"{flop / 1e9:.1f}",
            *_cost(flop * count, args.tflops),
        )
        print("| " + " | ".join(tasks) + " |")
    print("| " + " | ".join(("all", "", "", "", *_cost(total, args.tflops))) + " |")


def _cost(flop: float, tflops: float) -> tuple[str, str]:
    return f"{flop / 1e15:.2f}", f"{flop / (tflops * 1e12) / 60:.2f}"


def _words(network: Network) -> str:
    if isinstance(network.preset, CnnSettings):
        return f"{network.kind}, {network.preset.batch} a batch"
    preset = network.preset
    return f"{network.kind}, {preset.width} and {preset.discriminator_width} channels"


def _counted(preset: GridPreset) -> Iterator[tuple[Network, int]]:
    """Yield every network of the grid, and its updates."""
    for task in topological_order(_tasks(preset), done=lambda _: False):
        if task.kind is CLASSIFIER:
            training: ClassifierConfig = task.config
            yield (
                Network("CNN", replace(training.preset, epochs=1, updates=None)),
                _cnn_updates(training, _lesions(task)),
            )
        elif task.kind is GENERATOR:
            made: GeneratorConfig = task.config
            yield (
                Network(made.gan.kind, replace(made.gan, epochs=1, updates=None)),
                _gan_updates(made, _lesions(task)),
            )


def _tasks(preset: GridPreset) -> Iterable[Task]:
    """Name every task, at the paper's choices or the preset's nearest to them."""
    cohort = phantom(Phantom(1, preset.counts, preset.augmentation), "phantom")
    protocol_runs = experiments.protocol_runs(preset, cohort, seed=1)
    classes = np.repeat(np.arange(len(CLASSES)), preset.counts)
    best = _nearest(preset.classic, 5000), _nearest(preset.synthetic, 1000)
    inner = {split: best for protocol in protocol_runs for split in protocol.splits}
    further = cohorts.protocol_runs(preset)
    test = preset.cohorts
    theirs = _nearest(test.classic, best[0]), _nearest(test.synthetic, best[1])
    setup = ExperimentSetup(
        protocol_runs,
        Labels(classes, np.arange(len(classes)).astype(str)),
        phantom(Phantom(experiments.NEW_SEED, preset.new, preset.augmentation), "new"),
        *best,
        inner,
        {protocol.seed: theirs for protocol in further},
    )
    yield from chain.from_iterable(map(curves.of, curves.every(setup).values()))
    groups = [
        of
        for protocol in protocol_runs
        for split in (protocol.splits if preset.inner_folds else ())
        for of in (
            nested_selection.classic(protocol, split),
            nested_selection.synthetic(protocol, split, best=best[0]),
        )
    ]
    yield from chain.from_iterable(chain.from_iterable(group.values()) for group in groups)
    for protocol in further:
        yield from cohorts.to_compare(protocol, cohorts.classic_groups(protocol))
        yield from cohorts.to_compare(protocol, cohorts.synthetic_groups(protocol, best=theirs[0]))
    yield from experiments.tasks(setup)


def _nearest(sizes: Iterable[int], wanted: int) -> int:
    return min(sizes, key=lambda size: abs(size - wanted))


def _lesions(task: Task) -> float:
    """Count the lesions that a task trains on."""
    counts: tuple[int, ...] = task.inputs["cohort"].config.counts
    return _share(task.config) * sum(counts)


def _cnn_updates(training: ClassifierConfig, lesions: float) -> int:
    preset, data = training.preset, training.data
    if preset.updates is not None:
        return preset.updates
    of_each = data.synthetic_per_class + data.new_per_class
    images = lesions * data.originals + _classic(training, data.classic_per_fold, lesions)
    images += len(CLASSES) * of_each * FOLDS * _share(training)
    return preset.epochs * ceil(images / preset.batch)


def _gan_updates(made: GeneratorConfig, lesions: float) -> int:
    images = lesions + _classic(made, made.classic_per_fold, lesions)
    if made.label is not None:
        images /= len(CLASSES)
    batches = max(1, int(images) // made.gan.batch)
    return made.gan.updates or made.gan.epochs * batches


def _classic(config: ClassifierConfig | GeneratorConfig, per_fold: int, lesions: float) -> float:
    """Count augmentations: equally many of every lesion."""
    return lesions * round(per_fold * FOLDS * _share(config) / lesions)


def _share(config: ClassifierConfig | GeneratorConfig) -> float:
    """Return which part of a cohort is trained on."""
    share = 1.0 if config.split.fold is None else (FOLDS - 1) / FOLDS
    return share * (1.0 if config.split.inner is None else (FOLDS - 1) / FOLDS)


def _flop(network: Network) -> float:
    """Count the operations of one update: what a second epoch of one batch adds."""
    preset = network.preset
    images = torch.rand(preset.batch, 64, 64)
    data = Labelled(images, torch.arange(preset.batch) % len(CLASSES), len(CLASSES))

    def of_epochs(epochs: int) -> int:
        longer = replace(preset, epochs=epochs)
        with FlopCounterMode(display=False) as counter:
            if isinstance(longer, CnnSettings):
                classifier.train(data, longer, seed=0, log=NoTrainingLog())
            else:
                KINDS[network.kind].train(data, longer, seed=0, log=NoTrainingLog())
        return int(counter.get_total_flops())

    return float(of_epochs(2) - of_epochs(1))


if __name__ == "__main__":
    main()
