"""Carry results elsewhere: a few files of bounded size, from one machine's store to another's.

A machine that is lent for minutes computes a slice of the grid; its results come home in these
files, and the next machine unpacks them and goes on.

An archive is a plain tar file. Its first member lists the others with their sha256, so that a torn
one is known from a whole one; a result's card gives its digest, so that it is what its name says.
"""

import hashlib
import io
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from lesion import durable
from lesion.errors import RunError
from training.experiment.cell import digest_of
from training.experiment.store import CARD, Store

#: What a file may weigh.
LARGEST_BYTES = 16 * 2**20
#: A tar file's header of each member, what its data are rounded up to, and its end.
_BLOCK, _RECORD = 512, 10240
_LIST = "files.json"
#: What a file's line in the list takes at most, and what a result's file is called.
_LINE = 512
_NAME = re.compile(r"([0-9a-f]{2})/([0-9a-f]{62})/(cell\.json|\w[\w.-]{0,200}\.npy)")

#: Files by name.
Files = Mapping[str, bytes]


def pack(store: Store, out: Path, *, largest: int = LARGEST_BYTES) -> list[Path]:
    """Write the results to `out`/pack-000.tar and on, in place of what is there; return the files.

    Bulky results are left out, and one that alone weighs more than a file may: they are made again.
    Raise `RunError` where there is no result.
    """
    if not any(store.folders()):
        raise RunError(f"{store.folder}: found no results to pack")
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("pack-*.tar"):
        old.unlink()
    paths = []
    for number, folders in enumerate(_loads(store, largest)):
        paths.append(out / f"pack-{number:03d}.tar")
        files = {
            path.relative_to(store.folder).as_posix(): path.read_bytes()
            for folder in folders
            for path in sorted(folder.iterdir())
        }
        durable.write(paths[-1], _archived(files))
    return paths


def unpack(packs: Path, store: Store) -> int:
    """Add the results in `packs`/pack-*.tar to the store; return how many were new.

    Raise `RunError` for an archive that is torn or holds anything else; nothing of it is added.
    """
    paths = sorted(packs.glob("pack-*.tar"))
    if not paths:
        raise RunError(f"{packs}: found no pack-*.tar")
    known = {folder.parent.name + folder.name for folder in store.folders()}
    new = 0
    for path in paths:
        for digest, files in _results(path).items():
            if digest not in known:
                store.add(digest, files)
                new += 1
    return new


def _loads(store: Store, largest: int) -> Iterator[list[Path]]:
    """Deal the results out to files, in order, as many to each as it holds."""
    load: list[Path] = []
    room = largest - _RECORD - 2 * _BLOCK
    left = room
    for folder in store.folders():
        weight = sum(
            _LINE + _BLOCK + -(-path.stat().st_size // _BLOCK) * _BLOCK for path in folder.iterdir()
        )
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        if card["bulky"] or weight > room:
            continue
        if weight > left:
            yield load
            load, left = [], room
        load.append(folder)
        left -= weight
    if load:
        yield load


def _archived(files: Files) -> bytes:
    """Return a tar file of `files`, their list before them; nothing in it tells who made it."""
    listed = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for name, data in {_LIST: json.dumps(listed).encode(), **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return whole.getvalue()


def _results(path: Path) -> dict[str, dict[str, bytes]]:
    """Read an archive: each result's files by name, by its digest; `RunError` if it is bad."""
    found: dict[str, dict[str, bytes]] = {}
    for name, data in _files(path).items():
        named = _NAME.fullmatch(name)
        if named is None:
            raise RunError(f"{path.name}: found {name!r}, expected a result's file")
        found.setdefault(named[1] + named[2], {})[named[3]] = data
    for digest, files in found.items():
        if _digest(files) != digest:
            raise RunError(f"{path.name}: found another result under the name {digest[:12]}")
    return found


def _files(path: Path) -> Files:
    """Read an archive's files, whose hashes its list gives. Raise `RunError` if it is torn."""
    try:
        with tarfile.open(path, "r:") as archive:
            files = {
                member.name: file.read()
                for member in archive
                if (file := archive.extractfile(member)) is not None
            }
        listed = json.loads(files.pop(_LIST))
    except (tarfile.TarError, KeyError, ValueError) as error:
        raise RunError(f"{path.name}: found no whole archive of results ({error})") from error
    if {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} != listed:
        raise RunError(f"{path.name}: found other files than it lists: it is torn, or was changed")
    return files


def _digest(files: Files) -> str | None:
    """Return the digest that a result's card gives; nothing where there is no card."""
    try:
        return digest_of(json.loads(files[CARD]))
    except (KeyError, TypeError, ValueError):
        return None
