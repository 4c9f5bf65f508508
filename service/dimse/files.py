"""Files of the spool: a line of JSON that says what follows, then the bytes. Whole or not at all.

A name is a hash: no path is ever built from what a peer sent.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from lesion import durable

#: Of the line: an annotation's references are the most of it.
MOST_HEAD_BYTES = 2 * 1024 * 1024


def key_of(instance: str) -> str:
    """Return the name of the files of a SOP Instance UID."""
    return hashlib.sha256(instance.encode()).hexdigest()


def write(path: Path, head: dict[str, Any], *parts: bytes) -> int:
    """Write a file to the disk itself; return its size. What fails leaves nothing behind."""
    line = json.dumps(head).encode() + b"\n"
    try:
        with durable.opened(path) as file:
            for part in (line, *parts):
                file.write(part)
    except BaseException:
        with suppress(OSError):
            path.with_name(path.name + ".part").unlink(missing_ok=True)
        raise
    return len(line) + sum(map(len, parts))


def read_head(path: Path) -> dict[str, Any]:
    """Read the first line. Raise `ValueError` where it is none of ours."""
    with path.open("rb") as file:
        head = json.loads(file.readline(MOST_HEAD_BYTES))
    if not isinstance(head, dict):
        raise TypeError("found no JSON object, expected one")
    return head


def read_body(path: Path, most: int = -1) -> bytes:
    """Read what follows the first line, or so many bytes of it."""
    with path.open("rb") as file:
        file.readline(MOST_HEAD_BYTES)
        return file.read(most)


def remove(path: Path) -> None:
    """Remove a file, if it is there. What a power cut brings back is removed again."""
    path.unlink(missing_ok=True)


def move(path: Path, to: Path) -> None:
    """Give a file another folder."""
    path.replace(to)
    durable.sync(to.parent)
    durable.sync(path.parent)


def empty(path: Path) -> None:
    """Let go of what is in a file, and keep the file as old as it is. Never fails."""
    with suppress(OSError):
        found = path.stat()
        if found.st_size:
            os.truncate(path, 0)
            os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def make(folder: Path) -> None:
    """Make a folder that we alone can read. Its own name is put on the disk, as a file's is."""
    if not folder.is_dir():
        make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        durable.sync(folder.parent)


def names(folder: Path) -> list[str]:
    """Make a folder, clear away what a crash left half written, and return the names in it."""
    make(folder)
    for part in folder.glob("*.part"):
        part.unlink()
    return sorted(path.name for path in folder.iterdir())
