"""Files that are there whole or not at all, also after a power cut.

A name is given to bytes only once they are on the disk, and the name itself is put there too: a
rename alone may outlive what it names.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file that gets its name, and replaces what has it, where the block ends well.

    Its folder is made where there is none.
    """
    _make(path.parent)
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync(path.parent)


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; its folder is made where there is none."""
    with opened(path) as file:
        file.write(data)


def sync(folder: Path) -> None:
    """Put on the disk which names a folder holds."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        sync(folder.parent)
