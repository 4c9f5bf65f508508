"""What the result of each kind of work rests on in the code: a hash of it, module by module.

A cell's digest covers its configuration. For its code stands a `version`, which people count up and
may forget; then a run takes old results for new ones. So a hash is pinned beside each version, and
a test fails where the code changed and the version did not. Hashed is what `compute` reaches, name
by name through this project's modules: not words (docstrings, comments, layout), not what merely
lies in the same modules (presets' values are in the digest), not other packages.

    .venv/bin/python tests/training/experiment/pins.py      # pin the code as it is
"""

import ast
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from training.experiment import work as kinds
from training.experiment.cell import Work

ROOT = Path(__file__).parents[3]
TABLE = Path(__file__).with_name("pinned.json")
COMMAND = f".venv/bin/python {Path(__file__).relative_to(ROOT)}"

#: Not pinned: how files are read (tests hold that to drawn lesions bit for bit), what errors say.
_NOT_PINNED = ("lesion.image", "lesion.annotation", "lesion.ct", "lesion.errors")
#: An imported cohort's patches are not cut by its work: see there.
_MADE_BY = {"cohort": "import_folder"}
_Scope = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef

#: Gives a module's source by its name; nothing for what is no module of this project.
Read = Callable[[str], str | None]


def works() -> list[Work]:
    """Return every kind of work, by name."""
    modules = (
        import_module(f"{kinds.__name__}.{one.name}") for one in iter_modules(kinds.__path__)
    )
    found = {x.name: x for module in modules for x in vars(module).values() if isinstance(x, Work)}
    return [found[name] for name in sorted(found)]


def pin(work: Work) -> dict[str, Any]:
    """Return a work's version, and the hash of what it reaches in each module."""
    start = _MADE_BY.get(work.name, work.compute.__name__)
    return {"version": work.version, "code": hashes(work.compute.__module__, start, read=source)}


@cache
def source(module: str) -> str | None:
    """Read a module of this project."""
    if module.partition(".")[0] not in ("training", "lesion") or module.startswith(_NOT_PINNED):
        return None
    path = ROOT.joinpath(*module.split("."))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file.read_text(encoding="utf-8") for file in files if file.is_file()), None)


def hashes(module: str, name: str, *, read: Read) -> dict[str, str]:
    """Hash the statements that bind `name` and, in turn, every name that those use, by module."""
    reached: dict[str, dict[str, str]] = defaultdict(dict)
    todo = [(module, name)]
    while todo:
        module, name = todo.pop()
        bound, imported = _names(read(module) or "")
        if name in imported and name not in bound:
            todo.append(_home(imported[name], read))
        elif name in bound and name not in reached[module]:
            reached[module][name] = "\n".join(map(_plain, bound[name]))
            for statement in bound[name]:
                todo += _used(statement, module, imported, read)
    return {
        module: hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:12]
        for module, found in sorted(reached.items())
        if found
    }


@cache
def _names(text: str) -> tuple[dict[str, list[ast.stmt]], dict[str, str]]:
    """Return a module's statements by the names that they bind, and what it imports by name."""
    tree = ast.parse(text)
    for scope in ast.walk(tree):
        if isinstance(scope, _Scope) and ast.get_docstring(scope, clean=False) is not None:
            del scope.body[0]
    bound = defaultdict(list)
    for statement in tree.body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            bound[statement.name].append(statement)
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                bound[node.id].append(statement)
    return dict(bound), _imported(tree.body)


def _imported(nodes: Iterable[ast.AST]) -> dict[str, str]:
    found = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            found |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            found |= {one.asname: one.name for one in node.names if one.asname}
    return found


def _used(
    statement: ast.stmt, module: str, imported: dict[str, str], read: Read
) -> Iterator[tuple[str, str]]:
    """Yield the names that a statement uses: its module's, and those of modules it imports."""
    known = imported | _imported(ast.walk(statement))
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            yield _home(known[node.id], read) if node.id in known else (module, node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            inside = known.get(node.value.id, "")
            if read(inside) is not None:
                yield _home(f"{inside}.{node.attr}", read)


def _home(dotted: str, read: Read) -> tuple[str, str]:
    """Part a dotted name into its module and its name there; a module itself binds nothing."""
    return (dotted, "") if read(dotted) is not None else tuple(dotted.rpartition(".")[::2])


def _plain(statement: ast.stmt) -> str:
    """Write a statement's syntax tree; Python 3.12 adds an empty list to it."""
    return ast.dump(statement).replace(", type_params=[]", "")


if __name__ == "__main__":
    TABLE.write_text(json.dumps({work.name: pin(work) for work in works()}, indent=1) + "\n")
