"""The bare functions: what the service does for an image, without the service."""

import os
import time
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

# Read when the library is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime as ort

from benchmarks.sample import Sample, percentiles_ms

Network = Callable[[np.ndarray], np.ndarray]


def network(data: bytes, source: str, result: str) -> Network:
    """Return a graph as a function of one array, on one thread.

    It is opened here and not by the service, whose options would hide in both sides of a ratio.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    only = ort.RunOptions()
    only.only_execute_path_to_fetches = True

    def run(array: np.ndarray) -> Float[np.ndarray, "n ..."]:
        found: np.ndarray = session.run([result], {source: array}, only)[0]
        return found

    return run


def timed(job: Callable[[], object], *, images: int, seconds: float) -> Sample:
    """Call a function that makes or reads that many images, again and again for that long."""
    latencies_s = []
    began, cpu_began = time.perf_counter(), time.thread_time()
    last = began
    while last < began + seconds:
        job()
        now = time.perf_counter()
        latencies_s.append(now - last)
        last = now
    cpu_seconds = time.thread_time() - cpu_began
    return Sample(
        images * len(latencies_s), last - began, cpu_seconds, *percentiles_ms(latencies_s)
    )
