"""The error tree is what its docstring draws, and every leaf has a name for machines."""

import re

import pytest

from lesion import errors
from lesion.errors import HepaticaError, InputError


def _all(kind):
    """Return the kind and its kinds, without those that a loaded service derives from them."""
    own = [child for child in kind.__subclasses__() if child.__module__ == errors.__name__]
    return {kind, *(leaf for child in own for leaf in _all(child))}


def test_the_drawn_tree_is_the_tree():
    parents = {}
    path = []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"([│├└─ ]*)(\w+Error)\b", line):
            depth = len(found[1]) // 4
            path[depth:] = [found[2]]
            parents[found[2]] = path[depth - 1] if depth else None
    drawn = {name: parent for name, parent in parents.items() if parent}
    actual = {
        kind.__name__: kind.__bases__[0].__name__ for kind in _all(HepaticaError) - {HepaticaError}
    }
    assert drawn == actual


@pytest.mark.parametrize("kind", sorted(_all(InputError), key=str), ids=lambda kind: kind.__name__)
def test_every_input_error_has_a_slug_and_a_title(kind):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.slug)
    assert kind.title
    assert not kind.title.endswith(".")
    assert issubclass(kind, ValueError)


def test_slugs_are_distinct_and_stable():
    slugs = {kind.__name__: kind.slug for kind in _all(InputError)}
    assert len(set(slugs.values())) == len(slugs)
    assert slugs["NotCTError"] == "not-ct"
    assert slugs["OutlineTooSmallError"] == "outline-too-small"
    assert slugs["TooLargeError"] == "too-large"
    assert slugs["UnreadableImageError"] == "unreadable-image"
