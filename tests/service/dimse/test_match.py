"""Which images an annotation is about, and when it is due."""

import pytest

from service.dimse.identity import Identity
from service.dimse.match import match
from service.dimse.spool import Spool

QUIET = 10.0


@pytest.fixture
def spool(tmp_path):
    return Spool(tmp_path, max_bytes=1 << 20, max_objects=100)


@pytest.fixture
def keep(spool):
    """Keep an object that arrived at a moment; return what is kept of it."""

    def kept(
        instance, arrived, *, kind="ct", study="1", series="1.1", frame="1.9", sender="", **said
    ):
        identity = Identity(kind, instance, study, series, frame_of_reference=frame, **said)
        spool.keep(identity, (b"x",), arrived=arrived, sender=sender)
        (found,) = [each for each in spool.all() if each.identity.instance == instance]
        return found

    return kept


def instances(found):
    return [kept.identity.instance for kept in found.images]


def candidates(found):
    return [[kept.identity.instance for kept in series] for series in found.candidates]


def test_whole_is_due_at_once_whatever_came_first(spool, keep):
    keep("1.20", 1)
    annotation = keep("1.30", 2, kind="seg", references=("1.21", "1.20"))
    found = match(annotation, spool)
    assert instances(found) == ["1.20"]
    assert (found.whole, found.due_at(QUIET)) == (False, 2 + QUIET)
    keep("1.21", 5)
    found = match(annotation, spool)
    assert instances(found) == ["1.20", "1.21"]
    assert (found.whole, found.due_at(QUIET)) == (True, 0)


def test_some_wait_until_the_study_is_quiet(spool, keep):
    annotation = keep("1.30", 1, kind="sr", references=("1.20", "1.21"))
    assert match(annotation, spool).due_at(QUIET) is None
    keep("1.20", 2, study="2")  # named, of whichever study
    assert match(annotation, spool).due_at(QUIET) == 2 + QUIET
    keep("1.40", 7)  # another object of the annotation's study
    assert match(annotation, spool).due_at(QUIET) == 7 + QUIET
    keep("1.50", 9, study="3")  # nobody's
    assert match(annotation, spool).due_at(QUIET) == 7 + QUIET


def test_none_named_takes_those_of_its_kind(spool, keep):
    keep("1.20", 1)
    keep("1.21", 1, series="1.2")
    keep("1.22", 1, frame="1.8")
    keep("1.23", 1, study="2")
    keep("1.24", 1, kind="seg")
    anywhere = keep("1.30", 2, kind="seg", frame="")
    framed = keep("1.31", 2, kind="seg", frame="1.9")
    named = keep("1.32", 2, kind="rtstruct", frame="1.9", series_named=("1.2", "1.7"))
    assert candidates(match(anywhere, spool)) == [["1.20", "1.22"], ["1.21"]]
    assert candidates(match(framed, spool)) == [["1.20"], ["1.21"]]
    assert instances(match(named, spool)) == ["1.21"]
    assert not match(framed, spool).whole
    assert match(framed, spool).due_at(QUIET) == 2 + QUIET


def test_what_is_named_and_does_not_come_leaves_the_series_of_its_frame_of_reference(spool, keep):
    """Rewritten UIDs: only the geometry can tell, which needs a frame of reference."""
    keep("1.20", 1)
    keep("1.22", 1, frame="1.8")
    keep("1.21", 3, series="1.2")
    missing = keep("1.30", 2, kind="seg", references=("1.7", "1.8"))
    found = match(missing, spool)
    assert (instances(found), candidates(found)) == ([], [["1.20"], ["1.21"]])
    assert (found.whole, found.due_at(QUIET)) == (False, 3 + QUIET)
    assert [kept.identity.instance for kept in found.awaited] == ["1.20", "1.21"]
    of_series = keep("1.31", 2, kind="seg", references=("1.7",), series_named=("1.2",))
    assert candidates(match(of_series, spool)) == [["1.21"]]
    nowhere = keep("1.32", 2, kind="sr", frame="", references=("1.7",))
    assert match(nowhere, spool).due_at(QUIET) is None
    keep("1.7", 4, series="1.3")
    assert (instances(match(missing, spool)), match(missing, spool).candidates) == (["1.7"], ())


def test_what_is_arriving_counts_as_the_study_s_for_a_time(spool, keep):
    keep("1.20", 5, sender="CT")
    annotation = keep("1.30", 2, kind="seg", sender="WS", references=("1.20", "1.21"))
    found = match(annotation, spool)
    assert found.senders == {"CT", "WS"}
    assert found.due_at(QUIET, active_at=4, most_s=300) == 5 + QUIET
    assert found.due_at(QUIET, active_at=50, most_s=300) == 50 + QUIET
    assert found.due_at(QUIET, active_at=1000, most_s=300) == 305 + QUIET
    keep("1.21", 6)
    assert match(annotation, spool).due_at(QUIET, active_at=50, most_s=300) == 0


def test_what_is_named_and_is_no_image_is_none(spool, keep):
    keep("1.20", 1, kind="seg")
    annotation = keep("1.30", 2, kind="sr", references=("1.20", "1.21"))
    assert match(annotation, spool).due_at(QUIET) is None
