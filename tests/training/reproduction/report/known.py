"""Every number that a page may show of its results."""

from collections.abc import Iterator
from typing import Any

import numpy as np


def known_numbers(results: dict[str, Any]) -> set[float]:
    """The results' own numbers, and the few that the page works out: means, spreads, gains."""
    known = set(numbers(results)) | {_gain(results, "nested"), _gain(results, "curves")}
    beyond = results.get("beyond", {})
    for part in (results["cohorts"], beyond.get("once", {}), beyond.get("flips", {})):
        for figure in ("accuracy", "negative_log_likelihood"):
            for each in part.get(figure, {}).values():
                known |= {float(np.mean(each)), float(np.std(each, ddof=1))}
    return known


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from numbers(one)
    elif isinstance(value, int | float):
        yield float(value)


def _gain(results: dict[str, Any], arms: str) -> float:
    if arms == "nested":
        found = results["nested"]
        # Reports that were published before the arm was called so have it by another name.
        better, worse = found.get("gan", found.get("synthetic")), found["classic"]
    else:
        (better,) = (
            p for p in results["curves"]["dcgan"] if p["size"] == results["chosen"]["synthetic"]
        )
        (worse,) = (
            p for p in results["curves"]["classic"] if p["size"] == results["chosen"]["classic"]
        )
    return better["accuracy"][0] - worse["accuracy"][0]
