"""A TOML file of an operator's -> what it means, or an error that says where it cannot be meant."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

T = TypeVar("T")


def read(path: Path, validate: Callable[[dict[str, Any]], T]) -> T:
    """Read a file and validate it (pydantic). Raise `ValueError` for what it cannot mean.

    The error names the keys and never quotes a value: one may be a secret in the wrong place.
    """
    try:
        found = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    try:
        return validate(found)
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise ValueError(f"{path}: {'; '.join(wrong)}") from None
