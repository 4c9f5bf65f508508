"""What a target says to an association is told apart: come again, or not at all."""

from contextlib import contextmanager

import pytest
from pydicom.uid import Comprehensive3DSRStorage, SecondaryCaptureImageStorage
from pynetdicom import AE, evt

from service.dimse.peers import Target
from service.dimse.send import store
from service.problems import PASSING, PacsBusyError, PacsRefusedError, PacsStoreError
from service.report.objects import Made

from .peers import TargetAE


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
            store([made], target, ae_title="HEPATICA", timeout_s=10)
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
                store(objects, target, ae_title="HEPATICA", timeout_s=10)
            assert ae.received.empty()
        else:
            store(objects, target, ae_title="HEPATICA", timeout_s=10)
            assert ae.received.get(timeout=5).SOPClassUID == Comprehensive3DSRStorage
    finally:
        ae.stop()
