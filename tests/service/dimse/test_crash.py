"""Nothing that was answered for is lost or reported on twice: kill -9, and bad targets."""

import pytest
from pydicom.uid import generate_uid

from service.dimse.listener import locked

from .conftest import peers_file
from .peers import TargetAE, eventually, send

NEVER = 1000


@pytest.fixture
def files(study, encode):
    return [encode(made) for made in (*study.images, study.seg)]


def test_killed_between_receipt_and_report(spawn, target, files, study, tmp_path):
    spool = tmp_path / "spool"
    with spawn(peers_file(target.port), spool=spool, quiet_s=NEVER) as listener:
        assert send(listener.port, *files[1:]) == [0] * 3
        listener.kill()
    assert target.received.empty()
    with spawn(peers_file(target.port), spool=spool) as listener:
        target.report_of(study.uid)
        listener.wait("report confirmed")
        assert send(listener.port, files[3]) == [0]
        assert listener.metric("objects_total", kind="seg", outcome="reported") == 1
        assert listener.metric("annotations_waiting") == 0
    assert target.received.empty()


def test_killed_between_delivery_and_confirmation(spawn, target, files, study, tmp_path):
    spool = tmp_path / "spool"
    with spawn(peers_file(target.port), spool=spool) as listener:
        target.hold.clear()
        assert send(listener.port, *files) == [0] * 4
        first = target.report_of(study.uid)
        listener.kill()
    target.hold.set()
    with spawn(peers_file(target.port), spool=spool) as listener:
        again = target.report_of(study.uid)
        listener.wait("report confirmed")
        assert listener.metric("annotations_waiting") == 0
    assert again.SOPInstanceUID == first.SOPInstanceUID
    assert again == first  # to the time of day: the report was kept, not made anew


def killed_while_it_waits(spawn, target, files, spool):
    """Kill a listener whose SEG lacks a slice; return the SEG's name on the disk."""
    with spawn(peers_file(target.port), spool=spool, quiet_s=NEVER) as listener:
        assert send(listener.port, *files[1:]) == [0] * 3
        listener.kill()
    (key,) = [path.name for path in (spool / "objects").iterdir() if b'"seg"' in path.read_bytes()]
    return key


def test_killed_between_confirmation_and_clearing_away(spawn, target, files, study, tmp_path):
    """As if the power had failed there: what was to be removed is there again."""
    spool = tmp_path / "spool"
    key = killed_while_it_waits(spawn, target, files, spool)
    (spool / "done" / key).write_text("{}\n")
    with spawn(peers_file(target.port), spool=spool) as listener:
        assert listener.metric("annotations_waiting") == 0
        assert listener.metric("spool_objects") == 2
    assert target.received.empty()


def test_what_ends_the_process_is_not_tried_for_ever(spawn, target, files, tmp_path, is_well):
    spool = tmp_path / "spool"
    key = killed_while_it_waits(spawn, target, files, spool)
    (spool / "trying" / key).write_text('{"times": 3}\n')
    with spawn(peers_file(target.port), spool=spool) as listener:
        listener.wait("", problem="internal")
        assert listener.metric("annotations_waiting") == 0
        is_well(listener, target)


def test_half_a_file_is_cleared_away(spawn, target, tmp_path, is_well):
    spool = tmp_path / "spool"
    (spool / "objects").mkdir(parents=True)
    (spool / "objects" / "0123.part").write_bytes(b"{")
    (spool / "objects" / "4567").write_bytes(b"not one of ours, Secret^Patient\n")
    with spawn(peers_file(target.port), spool=spool) as listener:
        assert listener.metric("spool_objects") == 0
        is_well(listener, target)
    assert not (spool / "objects" / "0123.part").exists()


def test_a_target_that_is_down_and_comes_back(spawn, files, study, tmp_path):
    target, spool = TargetAE(), tmp_path / "spool"
    with spawn(peers_file(target.port), spool=spool) as listener:
        assert send(listener.port, *files) == [0] * 4
        listener.wait("", count=2, problem="pacs-connection")
        listener.kill()
    target.start()
    try:
        with spawn(peers_file(target.port), spool=spool) as listener:
            listener.wait("report confirmed")
        assert target.received.get(timeout=20).StudyInstanceUID == study.uid
    finally:
        target.stop()


@pytest.mark.parametrize(
    ("status", "problem"), [(0xA700, "pacs-busy"), (0xC000, "pacs-store"), (0x0122, "pacs-store")]
)
def test_a_target_that_says_no(listener, status, problem, files, study):
    before = listener.metric("deliveries_total", outcome=problem)
    listener.target.statuses = [status, status]
    assert send(listener.port, *files) == [0] * 4
    listener.target.report_of(study.uid)
    assert listener.metric("deliveries_total", outcome=problem) == before + 2


@pytest.mark.parametrize("status", [0x0111, 0xB000])
def test_a_target_that_has_it_already(listener, status, files, study):
    confirmed = listener.times("report confirmed")
    listener.target.statuses = [status]
    assert send(listener.port, *files) == [0] * 4
    listener.target.report_of(study.uid)
    listener.wait("report confirmed", count=confirmed + 1)
    assert listener.target.received.empty()


def test_what_nobody_takes_is_dropped_in_the_end(spawn, files, study, encode, tmp_path):
    lost, spool = TargetAE(), tmp_path / "spool"  # never started
    with spawn(peers_file(lost.port), spool=spool) as listener:
        study.rtstruct.ROIContourSequence[0].ContourSequence[0].ContourImageSequence[
            0
        ].ReferencedSOPInstanceUID = generate_uid()
        study.rtstruct.StudyInstanceUID = generate_uid()  # nothing of that study comes
        assert send(listener.port, encode(study.rtstruct), *files) == [0] * 5
        listener.wait("report made")
        listener.kill()
    with spawn(peers_file(lost.port), spool=spool, retention_s=0.5) as listener:
        listener.wait("an annotation was dropped without a report", problem="undelivered")
        listener.wait("an annotation was dropped without a report", problem="unmatched")
        assert listener.metric("annotations_waiting") == 0
        assert listener.metric("reports_waiting") == 0
        assert eventually(lambda: listener.metric("spool_objects") == 0)


def test_one_spool_has_one_process(spawn, tmp_path):
    with locked(tmp_path), spawn(peers_file(1), spool=tmp_path, await_ready=False) as second:
        assert second.process.wait(120) == 1
    assert "HEPATICA_DIMSE_SPOOL: found another process" in b"".join(second.lines).decode()


def test_a_target_that_is_not_configured_stops_the_start(spawn):
    peers = '[senders.SENDER]\n[target]\npacs = "elsewhere"\n'
    with spawn(peers, await_ready=False) as listener:
        assert listener.process.wait(120) == 1
    assert "elsewhere" in b"".join(listener.lines).decode()


def test_a_setting_that_cannot_be_meant_stops_the_start(spawn):
    with spawn("", max_object_bytes=1 << 40, await_ready=False) as listener:
        assert listener.process.wait(120) == 1
    said = b"".join(listener.lines).decode()
    assert "settings: HEPATICA_DIMSE_PEERS: " in said
    assert "senders: Field required" in said


def test_a_name_that_means_nothing_is_warned_of(spawn):
    with spawn(peers_file(1), quiet=3, environment={"HEPATICA_BATCHSIZE": "3"}) as listener:
        said = [line["message"] for line in listener.said() if line["level"] == "warning"]
    assert [("_DIMSE_QUIET_S" in line, "_BATCH_SIZE" in line) for line in said] == [
        (False, True),
        (True, False),
    ]


@pytest.mark.parametrize("after_s", [0.3, 1.0])
def test_a_signal_ends_a_start_as_process_1(after_s, tmp_path, end_as_process_1):
    """The kernel gives it no signal that it does not handle."""
    (tmp_path / "peers.toml").write_text(peers_file(1))
    settings = {
        "HEPATICA_DIMSE_PEERS": str(tmp_path / "peers.toml"),
        "HEPATICA_DIMSE_SPOOL": str(tmp_path / "spool"),
        "HEPATICA_DIMSE_PORT": "0",
        "HEPATICA_DIMSE_HTTP_PORT": "0",
    }
    assert end_as_process_1("service.dimse", after_s, settings) == 0


def test_reports_that_wait_are_bounded(spawn, target, make_study, encode):
    """With the target away, two are made; the third annotation waits for its turn."""
    studies = [make_study() for _ in range(3)]
    target.stop()
    with spawn(peers_file(target.port), max_reports=2) as listener:
        for study in studies:
            assert send(listener.port, *map(encode, (*study.images, study.seg))) == [0] * 4
        listener.wait("reports wait: no more are made")
        assert listener.metric("reports_waiting") == 2
        assert listener.metric("report_bytes") > 0
        assert listener.times("report made") == 2
        target.start()
        listener.wait("report confirmed", count=3)
        assert eventually(lambda: listener.metric("report_bytes") == 0)
    stored = {report.StudyInstanceUID for report in target.received.queue}
    assert stored == {study.uid for study in studies}
