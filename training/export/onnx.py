"""Write a network as ONNX, and prove that ONNX Runtime computes what torch does."""

import logging
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import onnxruntime
import torch
from jaxtyping import Float32
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from torch import nn

from lesion.bundle.manifest import Graph, Tensor
from lesion.bundle.read import sha256
from lesion.errors import HepaticaError

#: Largest difference between torch and ONNX Runtime: float32 rounding, in any order of summation.
PROBABILITY_TOLERANCE = 1e-4
#: Whole HU may round either way.
HU_TOLERANCE = 1.0


# It warns of each torchvision operator that it cannot register; there is none in our networks.
logging.getLogger("torch.onnx").setLevel(logging.ERROR)


class ParityError(HepaticaError):
    """The exported graph does not compute what the network does."""


def export(network: nn.Module, *, inputs: Tensor, outputs: Sequence[Tensor]) -> bytes:
    """Write a network of one input as ONNX, weights inside, the batch free."""
    example = torch.zeros(2, *(int(size) for size in inputs.shape[1:]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch's own, from its own tree module
        program = torch.onnx.export(
            network.eval(),
            (example,),
            dynamo=True,
            input_names=[inputs.name],
            output_names=[tensor.name for tensor in outputs],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            external_data=False,
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    program.optimize()
    # torch notes the source lines of each node, by the paths of this machine.
    ClearMetadataAndDocStringPass()(program.model)
    return program.model_proto.SerializeToString()


def session(graph: bytes) -> onnxruntime.InferenceSession:
    """Open a graph on one CPU thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run(graph: bytes, array: Float32[np.ndarray, "n ..."]) -> dict[str, np.ndarray]:
    """Run a graph of one input; return its outputs by name."""
    opened = session(graph)
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, opened.run(None, {opened.get_inputs()[0].name: array}), strict=True))


def check_parity(
    network: nn.Module,
    graph: bytes,
    array: Float32[np.ndarray, "n ..."],
    *,
    tolerance: Mapping[str, float],
) -> None:
    """Compare what torch and ONNX Runtime compute of `array`.

    `tolerance` is relative to an output's largest value or to 1, whichever is more. Raise
    `ParityError` where one is exceeded.
    """
    with torch.no_grad():
        expected = network(torch.from_numpy(array))
    expected = (expected,) if isinstance(expected, torch.Tensor) else expected
    for (name, found), want in zip(run(graph, array).items(), expected, strict=True):
        scale = max(1.0, float(want.abs().max()))
        difference = float(np.abs(found - want.numpy()).max())
        if not difference <= tolerance[name] * scale:  # NaN is none
            raise ParityError(f"{name}: torch and ONNX Runtime differ by {difference:g}")


def describe(
    graph: bytes, *, file: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor], parameters: int
) -> Graph:
    """Make a graph's entry in the manifest; the network's own sizes are read from the graph."""
    shapes = {output.name: output.shape for output in session(graph).get_outputs()}
    found = [
        Tensor(name=tensor.name, shape=(tensor.shape[0], *shapes[tensor.name][1:]))
        for tensor in outputs
    ]
    return Graph(
        file=file,
        sha256=sha256(graph),
        inputs=tuple(inputs),
        outputs=tuple(found),
        parameters=parameters,
    )
