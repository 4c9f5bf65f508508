"""What an operator watches. Every label has few values, all known here: none comes from a request.

A registry of our own: BentoML's metrics, which are labelled with raw paths, stay off.
"""

import os
from collections.abc import Callable
from typing import Final

# BentoML sets this for workers that share their metrics through files. Ours is one worker: plain
# memory is faster and needs no disk. It is read when prometheus_client is imported.
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")

#: Of a classification, in order. `receive` includes `pull`, which is the wait for a PACS; `wait` is
#: for a worker thread; `infer` includes the wait in the classifier's queue, `report` for a PACS.
STAGES = ("receive", "pull", "wait", "decode", "cut", "infer", "answer", "report", "total")

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
_PATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
_RATIO = (0.25, 0.5, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0, 4.0, 8.0)


class Metrics:
    """The metrics and the registry that holds them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = self._counter("requests", "Requests answered", "route", "method", "status")
        self.problems = self._counter("problems", "Requests refused, by problem", "problem")
        self.predictions = self._counter(
            "predictions", "Lesions classified, by their most similar class", "label"
        )
        self.warnings = self._counter("warnings", "Warnings of lesions answered", "code")
        self.abstentions = self._counter("abstentions", "Lesions abstained on", "reason")
        self.images = self._counter(
            "images_synthesized", "Synthetic images answered", "label", "format"
        )
        self.in_flight = self._gauge("requests_in_flight", "Requests being answered")
        self.held_bytes = self._gauge("held_bytes", "Bytes of request bodies in memory")
        self.ready = self._gauge("ready", "1 once the bundle is loaded and tested")
        self._depth = self._gauge("queue_depth", "Items that wait for a network's results", "queue")
        self.batch = self._histogram("batch_patches", "Patches in one inference", _PATCHES)
        self.out_of_distribution = self._histogram(
            "out_of_distribution_ratio",
            "Out-of-distribution score over the bundle's threshold",
            _RATIO,
        )
        stages = self._histogram("stage_seconds", "Seconds of each stage", _SECONDS, "stage")
        self.stage = {name: stages.labels(name) for name in STAGES}
        self._model = Info("hepatica_model", "The bundle that is served", registry=self._registry)

    def watch_queue(self, name: str, depth: Callable[[], float]) -> None:
        """Ask `depth` whenever the queue's gauge is read."""
        self._depth.labels(name).set_function(depth)

    def show_model(self, *, name: str, version: str, digest: str) -> None:
        """Name the bundle."""
        self._model.info({"name": name, "version": version, "digest": digest})

    def text(self) -> bytes:
        """Return all of it in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"hepatica_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"hepatica_{name}", text, labels, registry=self._registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"hepatica_{name}", text, labels, buckets=buckets, registry=self._registry)
