"""Results travel in archives of bounded size, and nothing else gets in with them."""

import io
import json
import sys
import tarfile
from dataclasses import dataclass

import numpy as np
import pytest

from lesion.errors import RunError
from training.__main__ import main
from training.experiment import pack
from training.experiment.cell import Cell, Work
from training.experiment.store import Store

LARGEST = 64 * 1024


@dataclass(frozen=True)
class Noise:
    seed: int
    size: int = 1000


def _draw(config, inputs):
    return {"noise": np.random.default_rng(config.seed).normal(size=config.size), "zero": 0}


NOISE = Work("noise", _draw)
CELLS = [Cell(NOISE, Noise(seed, size=300 * seed)) for seed in range(15)]


@pytest.fixture
def full(store):
    for cell in CELLS:
        store.save(cell, _draw(cell.config, {}), seconds=cell.config.seed)
    return store


@pytest.fixture
def packs(full, tmp_path):
    pack.pack(full, tmp_path / "packs", largest=LARGEST)
    return tmp_path / "packs"


@pytest.fixture
def other(tmp_path):
    return Store(tmp_path / "elsewhere" / "cells")


def everything(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_results_are_found_elsewhere_as_they_were(full, packs, other):
    assert len(list(packs.iterdir())) > 3
    assert all(0 < path.stat().st_size <= LARGEST for path in packs.iterdir())
    assert pack.unpack(packs, other) == len(CELLS)
    assert all(other.has(cell) for cell in CELLS)
    assert other.seconds(CELLS[7]) == 7.0
    assert everything(other.folder) == everything(full.folder)
    assert pack.unpack(packs, other) == 0


def test_the_verbs_carry_a_run_over(full, other, tmp_path, monkeypatch, capsys):
    for verb in ("pack --run {run} --out {packs}", "unpack --run {other} --from {packs}"):
        named = {"run": tmp_path, "packs": tmp_path / "packs", "other": other.folder.parent}
        monkeypatch.setattr(sys, "argv", ["training", *verb.format(**named).split()])
        main()
    assert capsys.readouterr().out.splitlines()[1].endswith(f"elsewhere: {len(CELLS)} new results")
    assert everything(other.folder) == everything(full.folder)


def test_what_the_other_store_has_is_left_as_it_is(packs, other):
    other.save(CELLS[3], _draw(CELLS[3].config, {}), seconds=99.0)
    assert pack.unpack(packs, other) == len(CELLS) - 1
    assert other.seconds(CELLS[3]) == 99.0


def test_bulky_results_and_those_larger_than_a_file_stay(full, tmp_path, other):
    bulky = Cell(Work("bulky", _draw, bulky=True), Noise(1))
    large = Cell(NOISE, Noise(1, size=LARGEST))
    for cell in (bulky, large):
        full.save(cell, _draw(cell.config, {}), seconds=0.0)
    pack.pack(full, tmp_path / "packs", largest=LARGEST)
    assert pack.unpack(tmp_path / "packs", other) == len(CELLS)
    assert not other.has(bulky)
    assert not other.has(large)


def test_packing_again_replaces_what_was_packed_and_says_nothing_of_its_maker(full, packs):
    before = everything(packs)
    (packs / "pack-999.tar").write_bytes(b"of a larger store")
    paths = pack.pack(full, packs, largest=LARGEST)
    assert sorted(packs.iterdir()) == paths
    assert everything(packs) == before
    with tarfile.open(paths[0]) as archive:
        assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in archive} == {(0, 0, "", "", 0)}


def test_half_written_results_are_not_packed(full, tmp_path):
    part = full.path(CELLS[0]).with_suffix(".7.part")
    full.path(CELLS[0]).rename(part)
    paths = pack.pack(full, tmp_path / "packs")
    with tarfile.open(paths[0]) as archive:
        assert not [name for name in archive.getnames() if "part" in name]
    assert pack.unpack(tmp_path / "packs", Store(tmp_path / "other")) == len(CELLS) - 1


def test_an_archive_torn_anywhere_is_refused(packs, other):
    path = packs / "pack-001.tar"
    whole = path.read_bytes()
    with tarfile.open(path) as archive:
        edges = [member.offset for member in archive]
    for length in [0, 100, *edges, *(edge + 700 for edge in edges), len(whole) // 2]:
        path.write_bytes(whole[:length])
        with pytest.raises(RunError, match=r"pack-001\.tar: found"):
            pack.unpack(packs, other)
    with tarfile.open(packs / "pack-000.tar") as archive:
        first = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert {folder.name for folder in other.folders()} == first  # the whole one before it
    assert not list(other.folder.glob("??/*.part"))


def test_a_flipped_bit_is_found(packs, other):
    path = packs / "pack-000.tar"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunError, match=r"pack-000\.tar: found"):
        pack.unpack(packs, other)
    assert not other.folder.exists()


def rewritten(packs, change):
    """Replace the first archive with one whose list is right and whose files are `change`d."""
    path = packs / "pack-000.tar"
    path.write_bytes(pack._archived(change(dict(pack._files(path)))))


def name_of(files, end="cell.json"):
    return next(name for name in files if name.endswith(end))


def without_card(files):
    del files[name_of(files)]
    return files


def with_other_card(files):
    card = json.loads(files[name_of(files)])
    card["config"]["seed"] = 12345
    return {**files, name_of(files): json.dumps(card).encode()}


@pytest.mark.parametrize(
    "change",
    [
        without_card,
        with_other_card,
        lambda files: {**files, name_of(files): b"[]"},
        lambda files: {**files, name_of(files): b"{"},
        lambda files: {**files, "../../escaped.npy": b"x"},
        lambda files: {**files, "/tmp/escaped.npy": b"x"},
        lambda files: {**files, f"{name_of(files, '.npy')}/../../../escaped.npy": b"x"},
        lambda files: {**files, name_of(files).replace("cell.json", "run.py"): b"x"},
        lambda files: {**files, name_of(files).replace("cell.json", "..npy"): b"x"},
    ],
)
def test_what_is_no_result_is_refused_and_nothing_is_added(packs, other, tmp_path, change):
    rewritten(packs, change)
    with pytest.raises(RunError, match=r"pack-000\.tar: found"):
        pack.unpack(packs, other)
    assert not other.folder.exists()
    assert not list(tmp_path.rglob("escaped*"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE])
def test_a_foreign_archive_is_refused(packs, other, kind):
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        member = tarfile.TarInfo("ab/" + 62 * "c")
        member.type, member.linkname = kind, "/etc"
        archive.addfile(member)
    (packs / "pack-000.tar").write_bytes(whole.getvalue())
    with pytest.raises(RunError, match=r"pack-000\.tar: found no whole archive of results"):
        pack.unpack(packs, other)
    assert not other.folder.exists()


def test_a_folder_without_packs_or_results_is_refused(tmp_path, other):
    with pytest.raises(RunError, match="found no results to pack"):
        pack.pack(other, tmp_path)
    with pytest.raises(RunError, match=r"found no pack-\*\.tar"):
        pack.unpack(tmp_path, other)
