"""Fuzz tests are bounded and seeded: CI runs a short slice of each, `make fuzz` many rounds."""

import os

import numpy as np
import pytest


@pytest.fixture
def rounds() -> int:
    """How many inputs a test makes."""
    return int(os.environ.get("FUZZ_ROUNDS", "20"))


@pytest.fixture
def rng() -> np.random.Generator:
    """What the inputs are drawn from."""
    return np.random.default_rng(int(os.environ.get("FUZZ_SEED", "0")))
