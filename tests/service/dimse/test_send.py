"""What a target says to an association is told apart: come again, or not at all."""

from contextlib import contextmanager

import pytest
from pydicom.uid import Comprehensive3DSRStorage, SecondaryCaptureImageStorage
from pynetdicom import AE, evt

from service.dimse.peers import Target
from service.dimse.send import store
from service.problems import (
    PASSING,
    PacsBusyError,
    PacsRefusedError,
    PacsStoreError,
    PacsTimeoutError,
)
from service.report.objects import Made

from .peers import TargetAE

TIMES = {"timeout_s": 10, "deadline_s": 60}


@contextmanager
def rejecting(*rejection):
    """Run a target that rejects all associations; give its port."""

    def reject(event):
        event.assoc.acse.send_reject(*rejection)
        event.assoc.kill()

    ae = AE("TARGET")
    ae.add_supported_context(Comprehensive3DSRStorage)
    server = ae.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_REQUESTED, reject)]
    )
    yield server.server_address[1]
    server.shutdown()


@pytest.mark.parametrize(
    ("rejection", "problem"),
    [((2, 3, 2), PacsBusyError), ((1, 1, 7), PacsRefusedError)],
    ids=["local limit exceeded", "called AE title unknown"],
)
def test_a_rejection_of_the_moment_is_no_refusal(study, encode, rejection, problem):
    made = Made("report", "1.1", "1.2", "1.3", "1.4", encode(study.sr))
    with rejecting(*rejection) as port:
        target = Target(ae_title="TARGET", host="127.0.0.1", port=port)
        with pytest.raises(problem) as raised:
            store([made], target, ae_title="HEPATICA", **TIMES)
    assert isinstance(raised.value, PASSING) == (problem is PacsBusyError)


@pytest.mark.parametrize("refused", ["report", "capture"])
def test_a_picture_may_be_refused_and_a_report_may_not(study, encode, make_ct, refused):
    picture = make_ct()
    picture.SOPClassUID = SecondaryCaptureImageStorage
    objects = [
        Made("report", "1.1", "1.2", "1.3", "1.4", encode(study.sr)),
        Made("capture", "1.1", "1.2", "1.3", "1.5", encode(picture)),
    ]
    ae = TargetAE()
    ae.statuses = [0xC000] if refused == "report" else [0x0000, 0xC000]
    ae.start()
    target = Target(ae_title="TARGET", host="127.0.0.1", port=ae.port)
    try:
        if refused == "report":
            with pytest.raises(PacsStoreError):
                store(objects, target, ae_title="HEPATICA", **TIMES)
            assert ae.received.empty()
        else:
            store(objects, target, ae_title="HEPATICA", **TIMES)
            assert ae.received.get(timeout=5).SOPClassUID == Comprehensive3DSRStorage
    finally:
        ae.stop()


def test_all_of_a_report_shares_one_deadline(study, encode, make_ct):
    """Though the target answers each object soon enough."""
    picture = make_ct()
    picture.SOPClassUID = SecondaryCaptureImageStorage
    pictures = [Made("capture", "1.1", "1.2", "1.3", f"1.{at}", encode(picture)) for at in range(9)]
    objects = [Made("report", "1.1", "1.2", "1.3", "1.4", encode(study.sr)), *pictures]
    ae = TargetAE()
    ae.pause_s = 0.4
    ae.start()
    target = Target(ae_title="TARGET", host="127.0.0.1", port=ae.port)
    try:
        with pytest.raises(PacsTimeoutError, match="not all of a report stored after 1 s"):
            store(objects, target, ae_title="HEPATICA", timeout_s=10, deadline_s=1)
    finally:
        ae.stop()
    assert 0 < ae.received.qsize() < len(objects)
