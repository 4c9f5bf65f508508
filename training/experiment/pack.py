"""Carry results elsewhere: a few files of bounded size, from one machine's store to another's.

A machine that is lent for minutes computes a slice of the grid; its results come home in these
files, and the next machine unpacks them and goes on.
"""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from lesion.errors import RunError
from training.experiment.store import Store

#: What a file may weigh.
LARGEST_BYTES = 16 * 2**20
#: A tar file's header of each member, what its data are rounded up to, and its end.
_BLOCK, _RECORD = 512, 10240


def pack(
    store: Store, out: Path, *, bulky: frozenset[str], largest: int = LARGEST_BYTES
) -> list[Path]:
    """Write all results but those of `bulky` works to `out`/pack-000.tar and on; return the files.

    A result that alone weighs more than a file may is left out too: it is made again.
    """
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("pack-*.tar"):
        old.unlink()
    paths = []
    for number, folders in enumerate(_loads(store, bulky=bulky, largest=largest)):
        paths.append(out / f"pack-{number:03d}.tar")
        with tarfile.open(paths[-1], "w") as archive:
            for folder in folders:
                archive.add(folder, folder.relative_to(store.folder))
    return paths


def unpack(packs: Path, store: Store) -> int:
    """Add the results in `packs`/pack-*.tar to the store; return how many were new.

    Raise `RunError` for an archive that holds anything else.
    """
    before = sum(1 for _ in store.folders())
    for path in sorted(packs.glob("pack-*.tar")):
        try:
            with tarfile.open(path) as archive:
                archive.extractall(store.folder, filter="data")
        except tarfile.TarError as error:
            raise RunError(f"{path.name}: found no archive of results ({error})") from error
    return sum(1 for _ in store.folders()) - before


def _loads(store: Store, *, bulky: frozenset[str], largest: int) -> Iterator[list[Path]]:
    """Deal the results out to files, in order, as many to each as it holds."""
    load: list[Path] = []
    left = largest - _RECORD
    for folder in store.folders():
        card = json.loads((folder / "cell.json").read_text(encoding="utf-8"))
        weight = _BLOCK + sum(
            _BLOCK + -(-path.stat().st_size // _BLOCK) * _BLOCK for path in folder.iterdir()
        )
        if card["work"] in bulky or weight > largest - _RECORD:
            continue
        if weight > left:
            yield load
            load, left = [], largest - _RECORD
        load.append(folder)
        left -= weight
    if load:
        yield load
