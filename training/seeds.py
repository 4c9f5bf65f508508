"""One seed for a run, and from it an independent one for each thing that is drawn.

A stream is named by what it is for, so adding a stage, or resuming after one, changes no other
stage's numbers.
"""

import hashlib

import numpy as np


def derive(seed: int, *purpose: str | int) -> int:
    """Return a 63-bit seed for a purpose: a pure function of its arguments."""
    text = "/".join(map(str, (seed, *purpose)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return a random generator for a purpose."""
    return np.random.default_rng(derive(seed, *purpose))
