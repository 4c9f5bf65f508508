"""The bundle's networks as ONNX Runtime sessions.

The graphs come as bytes whose digests were checked, and are checked again against the interface
that the manifest declares. A golden self-test proves that they compute here what they computed
where they were made.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

# Read when the library is loaded (ORT_TELEMETRY_DISABLED is not).
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

from lesion.bundle import LATENT_SIZE
from lesion.bundle.manifest import Graph, Tensor, fits
from lesion.bundle.read import Bundle
from lesion.errors import BundleError
from lesion.roi import PATCH_SIZE
from service.noise import TILE

Provider = Literal["cpu", "cuda"]

_PROVIDERS: Mapping[Provider, list[tuple[str, dict[str, str]]]] = {
    "cpu": [("CPUExecutionProvider", {})],
    # The exhaustive search may choose another algorithm, and so another image, at each start.
    "cuda": [
        ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"}),
        ("CPUExecutionProvider", {}),
    ],
}


# Without it, a run computes every output of its graph, and gives those that were asked for.
_ONLY_ASKED = ort.RunOptions()
_ONLY_ASKED.only_execute_path_to_fetches = True


class Scores(NamedTuple):
    """What the classifier says of a batch. `saliency` is None unless it was asked for."""

    probabilities: Float[np.ndarray, "n classes"]
    out_of_distribution: Float[np.ndarray, " n"]
    saliency: Float[np.ndarray, "n classes h w"] | None


@dataclass(frozen=True, slots=True)
class Engine:
    """Sessions that are ready to run. `run` of a session may be called by any thread.

    A batch of patches is filled up to the next of `batch_sizes`; where there are none, as on a
    CPU, it runs as it is.
    """

    classifier: ort.InferenceSession
    generators: Mapping[str, ort.InferenceSession]
    batch_sizes: tuple[int, ...] = ()

    def classify(self, patch_hu: Float[np.ndarray, "n 64 64"], *, saliency: bool) -> Scores:
        """Classify patches in HU, float32."""
        names = ["probabilities", "out_of_distribution"] + ["saliency"] * saliency
        n = len(patch_hu)
        if spare := next((size - n for size in self.batch_sizes if size >= n), 0):
            patch_hu = np.pad(patch_hu, [(0, spare), (0, 0), (0, 0)])
        found = self.classifier.run(names, {"patch_hu": patch_hu}, _ONLY_ASKED)
        probabilities, score, *maps = [array[:n] for array in found]
        return Scores(probabilities, score, maps[0] if saliency else None)

    def generate(
        self, lesion_class: str, z: Float[np.ndarray, "n 100"]
    ) -> Float[np.ndarray, "n 64 64"]:
        """Turn noise in [-1, 1] into lesions in HU, float32."""
        patch_hu: np.ndarray = self.generators[lesion_class].run(["patch_hu"], {"z": z})[0]
        return patch_hu


def load(bundle: Bundle, provider: Provider, *, largest_batch: int = 1) -> Engine:
    """Open the bundle's graphs and prove them.

    CUDA prepares itself for each new size of a batch, which takes longer than many batches. There,
    patches come in powers of two up to `largest_batch` or just above, and each has been run once.

    Raise `BundleError` where a graph is not what the manifest says, fails the golden self-test, or
    does not run on the provider that was asked for.
    """
    if provider == "cuda":
        ort.preload_dlls()
    manifest = bundle.manifest
    engine = Engine(
        _open("classifier", bundle.classifier, manifest.classifier, provider),
        {
            name: _open(f"generators.{name}", data, manifest.generators[name], provider)
            for name, data in bundle.generators.items()
        },
        _powers_of_two(largest_batch) if provider == "cuda" else (),
    )
    self_test(engine, bundle)
    if provider == "cuda":
        warm_up(engine)
    return engine


def warm_up(engine: Engine) -> None:
    """Run each network once in each size that it will be run in."""
    for size, saliency in product(engine.batch_sizes, (False, True)):
        engine.classify(np.zeros((size, PATCH_SIZE, PATCH_SIZE), np.float32), saliency=saliency)
    for name in engine.generators:
        engine.generate(name, np.zeros((TILE, LATENT_SIZE), np.float32))


def _powers_of_two(most: int) -> tuple[int, ...]:
    return tuple(1 << power for power in range((most - 1).bit_length() + 1))


def self_test(engine: Engine, bundle: Bundle) -> None:
    """Run the golden inputs; raise `BundleError` unless they give the golden outputs."""
    golden, limits = bundle.golden, bundle.manifest.golden
    try:
        scores = engine.classify(golden["patch_hu"], saliency=False)
        tolerance = limits.probability_tolerance
        _check_close("probabilities", scores.probabilities, golden, tolerance)
        # A score is a distance, whose rounding error grows with it.
        tolerance *= max(1.0, float(np.abs(golden["out_of_distribution"]).max()))
        _check_close("out_of_distribution", scores.out_of_distribution, golden, tolerance)
        for name in engine.generators:
            patch_hu = engine.generate(name, golden[f"z_{name}"])
            _check_close(f"patch_hu_{name}", patch_hu, golden, limits.hu_tolerance)
    except KeyError as error:
        raise BundleError(f"{limits.file}: found no array {error}, expected one") from error


def _check_close(
    name: str, found: np.ndarray, golden: Mapping[str, np.ndarray], tolerance: float
) -> None:
    expected = golden[name]
    if found.shape != expected.shape:
        raise BundleError(
            f"self-test: {name}: found shape {list(found.shape)}, expected {list(expected.shape)}"
        )
    difference = float(np.abs(found - expected).max())
    if not difference <= tolerance:  # NaN fails too
        raise BundleError(
            f"self-test: {name}: found a difference of {difference:g}, expected at most "
            f"{tolerance:g}"
        )


def _open(where: str, data: bytes, graph: Graph, provider: Provider) -> ort.InferenceSession:
    options = ort.SessionOptions()
    # One core a worker: the pod's other threads decode, and replicas use the other cores.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(data, options, providers=_PROVIDERS[provider])
    except Exception as error:  # ONNX Runtime raises many kinds, some of them RuntimeError
        raise BundleError(
            f"{where}: found no graph that ONNX Runtime {ort.__version__} runs on {provider}"
        ) from error
    if (wanted := _PROVIDERS[provider][0][0]) not in session.get_providers():
        raise BundleError(f"{where}: found {session.get_providers()}, expected {wanted}")
    _check_interface(f"{where}.inputs", session.get_inputs(), graph.inputs)
    _check_interface(f"{where}.outputs", session.get_outputs(), graph.outputs)
    return session


def _check_interface(where: str, found: list[ort.NodeArg], expected: tuple[Tensor, ...]) -> None:
    have = [f"{arg.name}: {arg.type}{arg.shape}" for arg in found]
    if [arg.type for arg in found] != ["tensor(float)"] * len(expected) or not all(
        fits(Tensor(name=arg.name, shape=tuple(arg.shape)), tensor)
        for arg, tensor in zip(found, expected, strict=True)
    ):
        raise BundleError(f"{where}: found {have}, expected {[str(t) for t in expected]}")
