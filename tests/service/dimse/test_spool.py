"""Objects and reports on disk: whole or not at all, bounded, and there again after a crash."""

import json
import os

import pytest

from lesion import durable
from service.dimse import files
from service.dimse import spool as spool_module
from service.dimse.identity import Identity
from service.dimse.outbox import Outbox
from service.dimse.spool import FOLDER, Spool, SpoolFullError
from service.report.objects import Made

DATA = b"\n{Part 10\n" * 100


def identity(instance="1.2.3", **changed):
    return Identity(**{"kind": "ct", "study": "1.2", "series": "1.3", "head": 4} | changed
                    | {"instance": instance})  # fmt: skip


@pytest.fixture
def open_spool(tmp_path):
    def opened(**bounds):
        return Spool(tmp_path, **{"max_bytes": 10_000, "max_objects": 10} | bounds)

    return opened


def test_what_is_kept_is_there_after_a_crash(open_spool):
    annotation = identity("1.4", kind="seg", references=("1.2.3", "1.2.4"), series_named=("1.3",))
    spool = open_spool()
    assert spool.keep(identity(), (DATA[:7], DATA[7:]), arrived=5.5)
    assert spool.keep(annotation, (DATA,), arrived=6.5)
    for found in (spool, open_spool()):
        image = found.get(files.key_of("1.2.3"))
        assert (image.identity, image.arrived) == (identity(), 5.5)
        assert found.read(image) == DATA
        assert found.read_head(image) == DATA[:4]
        assert [kept.identity for kept in found.annotations()] == [annotation]
        assert len(found.of_study("1.2")) == len(found) == 2
        assert found.bytes == spool.bytes


def test_whose_it_was_is_known_after_a_crash(open_spool, tmp_path):
    """Not of what an older release kept."""
    spool = open_spool()
    spool.keep(identity(), (DATA,), arrived=1, sender="CT ROOM 1")
    key = files.key_of("1.2.3")
    assert [found.get(key).sender for found in (spool, open_spool())] == ["CT ROOM 1"] * 2
    path = tmp_path / FOLDER / key
    head = files.read_head(path)
    del head["sender"]
    files.write(path, head, DATA)
    (old,) = open_spool().all()
    assert (old.sender, old.identity) == ("", identity())


def test_the_same_object_is_kept_once(open_spool):
    spool = open_spool()
    assert spool.keep(identity(), (DATA,), arrived=1)
    assert not spool.keep(identity(), (b"other",), arrived=2)
    assert spool.read(spool.get(files.key_of("1.2.3"))) == DATA


def test_what_is_removed_is_gone(open_spool, tmp_path):
    spool = open_spool()
    spool.keep(identity("1.4", kind="seg"), (DATA,), arrived=1)
    key = files.key_of("1.4")
    for _ in range(2):
        spool.remove(key)
    assert (spool.bytes, len(spool), spool.annotations(), spool.of_study("1.2")) == (0, 0, [], [])
    assert key not in spool
    assert not list((tmp_path / FOLDER).iterdir())


def test_bounds(open_spool):
    spool = open_spool(max_objects=2, max_bytes=3000)
    spool.keep(identity("1.1", kind="seg"), (DATA,), arrived=1)
    with pytest.raises(SpoolFullError):
        spool.keep(identity("1.2", kind="seg"), (DATA, DATA), arrived=1)
    spool.keep(identity("1.2", kind="seg"), (DATA,), arrived=1)
    with pytest.raises(SpoolFullError):
        spool.keep(identity("1.3", kind="seg"), (b"",), arrived=1)
    spool.remove(files.key_of("1.1"))
    assert spool.keep(identity("1.3", kind="seg"), (DATA,), arrived=1)


@pytest.mark.parametrize("bounds", [{"max_objects": 10}, {"max_bytes": 12_000}])
def test_images_leave_room_for_annotations(open_spool, bounds):
    spool = open_spool(**{"max_objects": 100, "max_bytes": 100_000} | bounds)
    taken = [_fits(spool, identity(f"1.1.{number}")) for number in range(12)]
    assert 7 <= sum(taken) <= 9
    assert not taken[-1]
    assert _fits(spool, identity("1.2", kind="seg"))
    assert not _fits(spool, identity("1.3"))


def _fits(spool, one):
    try:
        return spool.keep(one, (DATA,), arrived=1)
    except SpoolFullError:
        return False


def test_what_annotations_name_is_bounded_for_it_is_in_memory(open_spool, monkeypatch):
    monkeypatch.setattr(spool_module, "MOST_NAMED", 3)
    spool = open_spool()
    named = {"kind": "seg", "references": ("1.1", "1.2"), "series_named": ("1.3",)}
    spool.keep(identity("1.5", **named), (b"",), arrived=1)
    for found in (spool, open_spool()):
        with pytest.raises(SpoolFullError):
            found.keep(identity("1.6", kind="seg", references=("1.1",)), (b"",), arrived=1)
    assert spool.keep(identity("1.7"), (b"",), arrived=1)  # an image names none
    spool.remove(files.key_of("1.5"))
    assert spool.keep(identity("1.6", kind="seg", references=("1.1",)), (b"",), arrived=1)


def test_what_cannot_be_removed_is_still_there(open_spool, monkeypatch):
    spool = open_spool()
    spool.keep(identity("1.4", kind="seg"), (DATA,), arrived=1)
    key = files.key_of("1.4")

    def read_only(_):
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as patched:
        patched.setattr(files, "remove", read_only)
        with pytest.raises(OSError, match="Read-only"):
            spool.remove(key)
    assert key in spool
    spool.remove(key)
    assert (spool.bytes, spool.annotations()) == (0, [])


def test_a_disk_that_is_full_leaves_nothing_behind(open_spool, tmp_path, monkeypatch):
    spool = open_spool()

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(SpoolFullError):
            spool.keep(identity(), (DATA,), arrived=1)
    assert not list((tmp_path / FOLDER).iterdir())
    assert spool.keep(identity(), (DATA,), arrived=1)


def test_a_folder_is_on_the_disk_before_what_is_in_it(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(durable, "sync", synced.append)
    folder = tmp_path / "a" / "b"
    assert files.names(folder) == []
    assert synced == [tmp_path, tmp_path / "a"]
    assert folder.stat().st_mode & 0o777 == 0o700
    files.names(folder)
    assert len(synced) == 2


def test_a_name_is_no_path(open_spool, tmp_path):
    open_spool().keep(identity("../../1.2"), (DATA,), arrived=1)
    (path,) = (tmp_path / FOLDER).iterdir()
    assert len(path.name) == 64


def test_files_of_others_are_left_alone(open_spool, tmp_path, caplog):
    folder = tmp_path / FOLDER
    folder.mkdir()
    for name, data in (("a", b""), ("b", b"[]\n"), ("c", b'{"arrived": 1}\n'), ("d", b"\xff\n")):
        (folder / name).write_bytes(data)
    (folder / "e.part").write_bytes(DATA)
    assert len(open_spool()) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c", "d"]
    assert len(caplog.records) == 4


MADE = [
    Made("report", "1.1", "1.2", "1.3", "1.4", DATA),
    Made("capture", "1.1", "1.2", "1.3", "1.5", b"\n"),
]


def test_a_report_waits_until_it_is_confirmed(tmp_path):
    outbox = Outbox(tmp_path)
    assert outbox.begin("ab") == 0
    outbox.add("ab", MADE)
    for found in (outbox, Outbox(tmp_path)):
        assert list(found.waiting()) == ["ab"]
        assert found.read("ab") == MADE
        assert found.reported("ab")
        assert not found.confirmed("ab")
    outbox.confirm("ab")
    for found in (outbox, Outbox(tmp_path)):
        assert not found.waiting()
        assert found.confirmed("ab")
        assert found.reported("ab")


def test_how_much_waits_is_known(tmp_path):
    outbox = Outbox(tmp_path)
    for key in ("ab", "cd"):
        outbox.add(key, MADE)
    size = sum(path.stat().st_size for path in (tmp_path / "reports").iterdir())
    for found in (outbox, Outbox(tmp_path)):
        assert found.report_bytes() == size
        assert found.full(most=2, most_bytes=size + 1)
        assert found.full(most=3, most_bytes=size)
        assert not found.full(most=3, most_bytes=size + 1)
    outbox.confirm("ab")
    outbox.drop("cd")
    assert outbox.report_bytes() == 0
    assert not outbox.full(most=1, most_bytes=1)


def test_a_full_disk_has_room_for_a_confirmation(tmp_path, monkeypatch):
    outbox = Outbox(tmp_path)
    outbox.add("ab", MADE)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(durable, "sync", lambda _: None)
    with pytest.raises(OSError, match="No space"):
        outbox.refuse("cd", "rescale")
    outbox.confirm("ab")
    assert outbox.confirmed("ab")
    assert not outbox.waiting()


def test_nothing_is_left_of_what_a_report_said(tmp_path):
    """Not even where the process ended before it could let go of it."""
    outbox = Outbox(tmp_path)
    for key in ("ab", "cd"):
        outbox.add(key, MADE)
    outbox.confirm("ab")
    report, done = (tmp_path / name / "cd" for name in ("reports", "done"))
    report.rename(done)
    os.utime(done, (5, 5))
    found = Outbox(tmp_path)
    assert found.confirmed("cd")
    assert [path.stat().st_size for path in (tmp_path / "done").iterdir()] == [0, 0]
    assert done.stat().st_mtime == 5


def test_how_often_it_was_begun_outlives_a_crash(tmp_path):
    for times in range(3):
        assert Outbox(tmp_path).begin("ab") == times
    outbox = Outbox(tmp_path)
    outbox.ended("ab")
    assert outbox.begin("ab") == 0


def test_why_there_is_no_report(tmp_path):
    outbox = Outbox(tmp_path)
    outbox.refuse("ab", "rescale")
    assert json.loads((tmp_path / "refused" / "ab").read_text()) == {"problem": "rescale"}
    assert not outbox.reported("ab")  # it may come again, mended


def test_what_is_old_or_too_much_is_forgotten(tmp_path):
    outbox = Outbox(tmp_path)
    for at, key in enumerate("abcd"):
        outbox.add(key, MADE)
        outbox.confirm(key)
        os.utime(tmp_path / "done" / key, (at, at))
    outbox = Outbox(tmp_path)
    outbox.tidy(before=1, most=10)
    assert [key for key in "abcd" if outbox.confirmed(key)] == ["b", "c", "d"]
    outbox.tidy(before=0, most=1)
    assert [path.name for path in (tmp_path / "done").iterdir()] == ["d"]
