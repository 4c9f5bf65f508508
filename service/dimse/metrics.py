"""What an operator watches of the listener. Every label has few values, all known here.

A registry of its own, beside that of `service.metrics`, which counts what is classified.
"""

from collections.abc import Callable

# First, for it says how prometheus_client is to be loaded.
import service.metrics  # noqa: F401  # isort: skip
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest


class ListenerMetrics:
    """The metrics and the registry that holds them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.associations = self._counter(
            "associations", "Associations asked for, and what became of them", "outcome"
        )
        self.objects = self._counter(
            "objects", "Objects received: kept, ignored, or the problem", "kind", "outcome"
        )
        self.jobs = self._counter(
            "jobs", "Annotations done with: reported, dropped, or the problem", "outcome"
        )
        self.deliveries = self._counter(
            "deliveries", "Attempts to deliver a report: confirmed, or the problem", "outcome"
        )

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Ask `value` whenever the gauge is read."""
        gauge = Gauge(f"hepatica_listener_{name}", text, registry=self._registry)
        gauge.set_function(value)

    def text(self) -> bytes:
        """Return all of it in Prometheus's text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"hepatica_listener_{name}", text, labels, registry=self._registry)
