"""One measurement of a few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Sample:
    """What was done, in which time.

    `cpu_seconds` were used by the functions or by all processes of the server: unlike `seconds`,
    what else runs on the machine disturbs them less, but does. `client_share` is how much of its
    own core the client used: near 1, it was the client that was measured.
    """

    images: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    p95_ms: float
    client_share: float = 0.0

    @property
    def per_second(self) -> float:
        """Images a second."""
        return self.images / self.seconds

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of a core for each image."""
        return 1000 * self.cpu_seconds / self.images


def percentiles_ms(latencies_s: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 95th percentile."""
    p50, p95 = np.percentile(np.asarray(latencies_s) * 1000, [50, 95])
    return float(p50), float(p95)
