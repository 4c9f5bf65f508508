"""Set single fields of a preset: `--set cnn.epochs=3`, `--set gans.acgan.width=64`.

A value is JSON, or else plain text; what it sets is recorded with the resolved preset.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from lesion.errors import RunError

Preset = TypeVar("Preset")


def add_override(parser: argparse.ArgumentParser) -> None:
    """Add the option `--set`."""
    parser.add_argument(
        "--set",
        dest="overrides",
        metavar="FIELD=VALUE",
        action="append",
        default=[],
        help="set a field of the preset, such as cnn.epochs=3; may be repeated",
    )


def apply(preset: Preset, assignments: Sequence[str]) -> Preset:
    """Return the preset with these fields set; raise `RunError` for one that cannot be set so."""
    for assignment in assignments:
        path, sign, text = assignment.partition("=")
        if not sign:
            raise RunError(f"--set: found {assignment!r}, expected FIELD=VALUE")
        preset = _set(preset, path.split("."), text, assignment)
    return preset


def _set(part: Any, path: Sequence[str], text: str, assignment: str) -> Any:
    """Return `part` with the field at `path` set; of a tuple of settings, the one of that kind."""
    first, *rest = path
    if isinstance(part, tuple):
        kinds = [getattr(one, "kind", None) for one in part]
        if first not in kinds or not rest:
            raise RunError(
                f"--set {assignment}: found {first!r}, expected a field of one of {kinds}"
            )
        return tuple(_set(o, rest, text, assignment) if o.kind == first else o for o in part)
    names = [one.name for one in fields(part)] if is_dataclass(part) else []
    if first not in names:
        raise RunError(f"--set {assignment}: found {first!r}, expected one of {', '.join(names)}")
    if rest:
        return replace(part, **{first: _set(getattr(part, first), rest, text, assignment)})
    return replace(part, **{first: _value(text, get_type_hints(type(part))[first], assignment)})


def _value(text: str, expected: Any, assignment: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    if isinstance(value, list):
        value = tuple(value)
    if not _fits(value, expected):
        raise RunError(f"--set {assignment}: found {text!r}, expected {expected}")
    return float(value) if expected is float else value


def _fits(value: Any, expected: Any) -> bool:
    """Tell whether a value is of a field's type."""
    origin, inner = get_origin(expected), get_args(expected)
    if origin is UnionType:
        return any(_fits(value, one) for one in inner)
    if origin is Literal:
        return value in inner
    if origin is tuple:
        of = inner[:1] * len(value) if inner[-1] is ... else inner
        same = isinstance(value, tuple) and len(value) == len(of)
        return same and all(map(_fits, value, of))
    if expected is float:
        return type(value) in (int, float)
    return type(value) is expected
