"""What is set for each sender, and when an annotation is due."""

import math
import time

import pytest

from service.dimse.identity import Identity
from service.dimse.match import Match
from service.dimse.peers import load
from service.dimse.senders import Senders
from service.dimse.settings import ListenerSettings
from service.dimse.spool import Kept

from .conftest import peers_file

PEERS = "[senders.CT]\nquiet_s = 60\n[senders.WS]\nquiet_s = 2\nselect = 'Tumor'\n[senders.B]\n"


@pytest.fixture
def make_senders(tmp_path):
    def made(active_at=lambda _: 0.0):
        (tmp_path / "peers.toml").write_text(peers_file(1, PEERS))
        settings = ListenerSettings(peers=tmp_path / "peers.toml", quiet_s=10)
        return Senders(load(settings.peers), settings, active_at)

    return made


def found(*senders, whole=False, quiet_since=None):
    since = time.time() if quiet_since is None else quiet_since
    image = Kept("a", Identity("ct", "1.20", "1", "1.1"), since, 1)
    return Match((image,), (), whole, since, frozenset(senders))


def test_select_is_the_sender_s(make_senders):
    senders = make_senders()
    assert [senders.select_of(one) for one in ("WS", "CT", "")] == ["Tumor", None, None]


@pytest.mark.parametrize(
    ("names", "quiet_s"),
    [
        (("B",), 10),
        (("WS",), 2),
        (("CT",), 60),
        (("WS", "B"), 10),
        (("WS", "CT"), 60),
        (("",), 10),
        (("GONE",), 10),
    ],
)
def test_the_most_patient_sender_of_a_study_counts(make_senders, names, quiet_s):
    senders = make_senders()
    match = found(*names, quiet_since=time.time() + 1)
    assert senders.due_at(match) == pytest.approx(match.quiet_since + quiet_s)


def test_what_is_arriving_from_its_senders_is_no_quiet(make_senders):
    asked = []

    def active_at(names):
        asked.append(names)
        return time.time() + 100

    senders = make_senders(active_at)
    assert senders.due_at(found("B")) == pytest.approx(time.time() + 110, abs=5)
    assert asked == [{"B"}]
    assert senders.due_at(found("B", whole=True)) == 0


def test_never_as_things_stand(make_senders):
    assert make_senders().due_at(Match((), (), False, 1.0, frozenset({"B"}))) == math.inf


def test_the_time_before_the_start_was_no_quiet(make_senders):
    at = make_senders().due_at(found("B", quiet_since=5.0))
    assert at == pytest.approx(time.time() + 10, abs=5)
